# Who waits, the oldest first, and the tuples that come nearest with the field that differs;
# of spaces that the asker may read. Slices keep the asker back, and nobody else.
> open a
> open b
> b [1, "hello", {"client": "worker 1"}]
b < hello: boot 1 grace 0
> b [2, "in", "main", ["job", 21580("int"), 21580("text")]]
> pass 1s
> b [3, "rd", "main", null]
> a [1, "stats", "waiting"]
a < [1, 0, [{"n": 2, "op": "in", "mine": false, "near": [], "text": "the space is empty", "space": "main", "age_ms": 1000, "client": "worker 1", "session": 0, "template": ["job", ?int, ?text]}, {"n": 3, "op": "rd", "mine": false, "near": [], "text": "the space is empty", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": null}]]
> a [2, "out", "main", ["job", 17.0, "a"]]
+ put 2 ["job", 17.0, "a"]
b = [3, 0, [[2, ["job", 17.0, "a"]]]]
a = [2, 0, 2]
> a [3, "out", "main", ["jib", 1, "a"]]
+ put 3 ["jib", 1, "a"]
a = [3, 0, 3]
> a [4, "out", "main", ["jib", 1, 2]]
+ put 4 ["jib", 1, 2]
a = [4, 0, 4]
> a [5, "out", "main", ["job", "x", 1]]
+ put 5 ["job", "x", 1]
a = [5, 0, 5]
> b [4, "in", "main", ["other"]]
> b [5, "wait", "main", ["job", 21580(null), 21580(null)], ["ge", 5]]
> b [6, "in", "main", ["jib", 1, 2], {"lease": 60000}]
+ state 4 tries 1
b = [6, 0, [[4, ["jib", 1, 2], 6, 1]]]
> b [7, "in", "main", ["jib", 1, 2]]
> a [6, "stats", "waiting"]
a = [6, 0, [{"n": 2, "op": "in", "mine": false, "near": [[3, ["jib", 1, "a"], 0, "field 0 is \"jib\" (text), the template wants \"job\""], [2, ["job", 17.0, "a"], 1, "field 1 is 17.0 (float), the template wants int"], [5, ["job", "x", 1], 1, "field 1 is \"x\" (text), the template wants int"]], "text": "", "space": "main", "age_ms": 1000, "client": "worker 1", "session": 0, "template": ["job", ?int, ?text]}, {"n": 4, "op": "in", "mine": false, "near": [], "text": "no tuple of the space has 1 field", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["other"]}, {"n": 5, "op": "wait", "mine": false, "near": [], "text": "there are 2, it waits for at least 5", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["job", ?, ?]}, {"n": 7, "op": "in", "mine": false, "near": [[4, ["jib", 1, 2], null, "it matches, and is claimed or delayed"], [3, ["jib", 1, "a"], 2, "field 2 is \"a\" (text), the template wants 2"], [5, ["job", "x", 1], 0, "field 0 is \"job\" (text), the template wants \"jib\""]], "text": "", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["jib", 1, 2]}]]
> a [7, "space", "create", "s", {"tuples": 1}]
+ space 7 s tuples 1 bytes 0
a = [7, 0, null]
> a [8, "out", "s", [1]]
+ put 8 [1]
a = [8, 0, 8]
> a [9, "out", "s", [2], {"wait": true}]
> a [10, "out", "s", [3], {"wait": true}]
> b [8, "in", "s", null, {"lease": 60000}]
+ state 8 tries 1
b = [8, 0, [[8, [1], 9, 1]]]
> b [9, "rd", "s", [1], {"after": 100}]
> b [10, "atomic", [["in", "s", [7]]]]
> b [11, "stats", "waiting"]
b = [11, 0, [{"n": 2, "op": "in", "mine": true, "near": [[3, ["jib", 1, "a"], 0, "field 0 is \"jib\" (text), the template wants \"job\""], [2, ["job", 17.0, "a"], 1, "field 1 is 17.0 (float), the template wants int"], [5, ["job", "x", 1], 1, "field 1 is \"x\" (text), the template wants int"]], "text": "", "space": "main", "age_ms": 1000, "client": "worker 1", "session": 0, "template": ["job", ?int, ?text]}, {"n": 4, "op": "in", "mine": true, "near": [], "text": "no tuple of the space has 1 field", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["other"]}, {"n": 5, "op": "wait", "mine": true, "near": [], "text": "there are 2, it waits for at least 5", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["job", ?, ?]}, {"n": 7, "op": "in", "mine": true, "near": [[4, ["jib", 1, 2], null, "it matches, and is claimed or delayed"], [3, ["jib", 1, "a"], 2, "field 2 is \"a\" (text), the template wants 2"], [5, ["job", "x", 1], 0, "field 0 is \"job\" (text), the template wants \"jib\""]], "text": "", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["jib", 1, 2]}, {"n": 9, "op": "out", "mine": false, "near": [], "text": "the space is full (its limit of tuples: 1)", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 10, "op": "out", "mine": false, "near": [], "text": "it stands behind others that wait for room", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 9, "op": "rd", "mine": true, "near": [[8, [1], null, "it matches, and is claimed or delayed"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [1]}, {"n": 10, "op": "atomic", "mine": true, "near": [[8, [1], 0, "field 0 is 1 (int), the template wants 7"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [7]}]]
> open c
> c [1, "hello", {"may": {"s": ["rd"]}}]
c < hello: boot 1 grace 0
> slices
> c [2, "stats", "waiting"]
c waits for work
> work 1
> a [11, "ping"]
a < [11, 0, null]
> work
c = [2, 0, [{"n": 9, "op": "out", "mine": false, "near": [], "text": "the space is full (its limit of tuples: 1)", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 10, "op": "out", "mine": false, "near": [], "text": "it stands behind others that wait for room", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 9, "op": "rd", "mine": false, "near": [[8, [1], null, "it matches, and is claimed or delayed"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [1]}, {"n": 10, "op": "atomic", "mine": false, "near": [[8, [1], 0, "field 0 is 1 (int), the template wants 7"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [7]}]]
> c [3, "stats", "nonsense"]
c < [3, -2, "stats: no such part: nonsense (spaces, waiting)"]
> commit
b < [3, 0, [[2, ["job", 17.0, "a"]]]]
a < [2, 0, 2]
a < [3, 0, 3]
a < [4, 0, 4]
a < [5, 0, 5]
b < [6, 0, [[4, ["jib", 1, 2], 6, 1]]]
a < [6, 0, [{"n": 2, "op": "in", "mine": false, "near": [[3, ["jib", 1, "a"], 0, "field 0 is \"jib\" (text), the template wants \"job\""], [2, ["job", 17.0, "a"], 1, "field 1 is 17.0 (float), the template wants int"], [5, ["job", "x", 1], 1, "field 1 is \"x\" (text), the template wants int"]], "text": "", "space": "main", "age_ms": 1000, "client": "worker 1", "session": 0, "template": ["job", ?int, ?text]}, {"n": 4, "op": "in", "mine": false, "near": [], "text": "no tuple of the space has 1 field", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["other"]}, {"n": 5, "op": "wait", "mine": false, "near": [], "text": "there are 2, it waits for at least 5", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["job", ?, ?]}, {"n": 7, "op": "in", "mine": false, "near": [[4, ["jib", 1, 2], null, "it matches, and is claimed or delayed"], [3, ["jib", 1, "a"], 2, "field 2 is \"a\" (text), the template wants 2"], [5, ["job", "x", 1], 0, "field 0 is \"job\" (text), the template wants \"jib\""]], "text": "", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["jib", 1, 2]}]]
a < [7, 0, null]
a < [8, 0, 8]
b < [8, 0, [[8, [1], 9, 1]]]
b < [11, 0, [{"n": 2, "op": "in", "mine": true, "near": [[3, ["jib", 1, "a"], 0, "field 0 is \"jib\" (text), the template wants \"job\""], [2, ["job", 17.0, "a"], 1, "field 1 is 17.0 (float), the template wants int"], [5, ["job", "x", 1], 1, "field 1 is \"x\" (text), the template wants int"]], "text": "", "space": "main", "age_ms": 1000, "client": "worker 1", "session": 0, "template": ["job", ?int, ?text]}, {"n": 4, "op": "in", "mine": true, "near": [], "text": "no tuple of the space has 1 field", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["other"]}, {"n": 5, "op": "wait", "mine": true, "near": [], "text": "there are 2, it waits for at least 5", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["job", ?, ?]}, {"n": 7, "op": "in", "mine": true, "near": [[4, ["jib", 1, 2], null, "it matches, and is claimed or delayed"], [3, ["jib", 1, "a"], 2, "field 2 is \"a\" (text), the template wants 2"], [5, ["job", "x", 1], 0, "field 0 is \"job\" (text), the template wants \"jib\""]], "text": "", "space": "main", "age_ms": 0, "client": "worker 1", "session": 0, "template": ["jib", 1, 2]}, {"n": 9, "op": "out", "mine": false, "near": [], "text": "the space is full (its limit of tuples: 1)", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 10, "op": "out", "mine": false, "near": [], "text": "it stands behind others that wait for room", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 9, "op": "rd", "mine": true, "near": [[8, [1], null, "it matches, and is claimed or delayed"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [1]}, {"n": 10, "op": "atomic", "mine": true, "near": [[8, [1], 0, "field 0 is 1 (int), the template wants 7"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [7]}]]
c < [2, 0, [{"n": 9, "op": "out", "mine": false, "near": [], "text": "the space is full (its limit of tuples: 1)", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 10, "op": "out", "mine": false, "near": [], "text": "it stands behind others that wait for room", "space": "s", "age_ms": 0, "client": "", "session": 0, "template": null}, {"n": 9, "op": "rd", "mine": false, "near": [[8, [1], null, "it matches, and is claimed or delayed"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [1]}, {"n": 10, "op": "atomic", "mine": false, "near": [[8, [1], 0, "field 0 is 1 (int), the template wants 7"]], "text": "all tuples of the space are claimed or delayed", "space": "s", "age_ms": 0, "client": "worker 1", "session": 0, "template": [7]}]]
> c [4, "stats", "waiting"]
c waits for work
> close c
> check
tuples 5 waiting 8 outcomes 2 sessions 0 taken 0 claims 2
