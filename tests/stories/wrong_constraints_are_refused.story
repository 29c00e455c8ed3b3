# A wrong constraint is named; the request is over and changed nothing.
> open a
> a [1, "in", "main", ["job", 21580({"order": "least", "type": "int"})]]
a < [1, -3, "in: template, field 1: neither min nor max: order"]
> a [2, "in", "main", ["job", 21580({"ge": 1})]]
a < [2, -3, "in: template, field 1: a range needs a type (int float number text bytes): ge"]
> a [3, "in", "main", [21580({"ge": 1.0, "type": "int"})]]
a < [3, -3, "in: template, field 0: the bound is not of the formal's type: ge"]
> a [4, "rd", "main", [[0, 21580({"lt": NaN, "type": "float"})]]]
a < [4, -3, "rd: template, field 0: NaN is no bound: lt"]
> a [5, "count", "main", [21580({"least": 1})]]
a < [5, -3, "count: template, field 0: no such constraint: least"]
> a [6, "in", "main", [?has{"k": 21580({"oneof": []})}]]
a < [6, -3, "in: template, field 0: not an array of 1 to 1024 values: oneof"]
> a [7, "out", "main", [21580({"ge": 1, "type": "int"})]]
a < [7, -3, "out: tuple, field 0: a formal in a tuple"]
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
