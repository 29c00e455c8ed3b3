# While the disk is low, what makes durable spaces grow is refused, and all else goes on:
# takes, claims and their ends, volatile spaces, and a few new sessions that take.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "outs", "main", [[1], [2], [3], [4]]]
+ put 3 [1]
+ put 4 [2]
+ put 5 [3]
+ put 6 [4]
+ outcome session 2 number 2 [3, 4, 5, 6]
a = [2, 0, [3, 4, 5, 6]]
> a [3, "space", "create", "v", {"volatile": true}]
+ space 7 v volatile
+ outcome session 2 number 3 null
a = [3, 0, null]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [3, 4, 5, 6]]
a < [3, 0, null]
> limit low_sessions 1
> disk low
> a [4, "out", "main", [5]]
a < [4, -7, "out: the disk is full"]
> a [5, "outs", "main", [[5], [6]], {"unless": [7]}]
a < [5, -7, "outs: the disk is full"]
> a [6, "out", "main", [5], {"unless": [1]}]
a < [6, 0, null]
> a [7, "out", "v", [5]]
a < [7, 0, 8]
> a [8, "space", "create", "s"]
a < [8, -7, "space create: the disk is full"]
> a [9, "atomic", [["in", "main", [1]], ["out", "main", [8]]], {"timeout": 0}]
a < [9, -7, "atomic: the disk is full"]
> a [10, "in", "main", [1]]
+ state 3 session 2 number 10
a = [10, 0, [[3, [1]]]]
> a [11, "in", "main", [2], {"lease": 60000}]
+ state 4 session 2 number 11 token 9 lease 60000 tries 1
a = [11, 0, [[4, [2], 9, 1]]]
> commit
a < [10, 0, [[3, [1]]]]
a < [11, 0, [[4, [2], 9, 1]]]
> a [12, "commit", {"done": [9], "out": [["main", [8]]]}]
a < [12, -7, "commit: the disk is full"]
> a [13, "commit", {"done": [9]}]
+ delete 4
+ outcome session 2 number 13 []
a = [13, 0, []]
> a [14, "atomic", [["in", "main", [3]], ["no", "main", [9]]]]
+ delete 5
+ outcome session 2 number 14 [[[5, [3]], null], []]
a = [14, 0, [[[5, [3]], null], []]]
> a [15, "space", "alter", "main", {"tuples": 100}]
+ space 1 main tuples 100 bytes 0
+ outcome session 2 number 15 null
a = [15, 0, null]
> commit
a < [13, 0, []]
a < [14, 0, [[[5, [3]], null], []]]
a < [15, 0, null]
# Who waits for room is done when there is some; in volatile spaces at once.
> a [16, "out", "main", [16], {"wait": true}]
> a [17, "out", "v", [17], {"wait": true}]
a < [17, 0, 10]
> a [18, "out", "main", [18], {"wait": true, "timeout": 1000}]
> pass 1s
a < [18, -7, "out: there was no room in time"]
> check
tuples 3 waiting 1 outcomes 8 sessions 1 taken 1 claims 0
> b [1, "hello", {"session": "new"}]
+ session session 11
b = hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
> open c
> c [1, "hello", {"session": "new"}]
c < [1, -7, "hello: the disk is full"]
c closed
> open d
> d [1, "hello", {"session": "none"}]
d < hello: boot 1 grace 0
> d [2, "in", "main", [4]]
+ delete 6
d = [2, 0, [[6, [4]]]]
> a [0, "ack", [1, 18]]
+ outcome-free session 2
+ delete 3
+ outcome-free session 2
> b [2, "bye"]
b = [2, 0, null]
+ session-end session 11
> commit
b < hello: boot 1 grace 60000 session h'00020000000000000000000000000000'
d < [2, 0, [[6, [4]]]]
b < [2, 0, null]
> open e
> e [1, "hello", {"session": "new"}]
+ session session 12
e = hello: boot 1 grace 60000 session h'00050000000000000000000000000000'
> commit
e < hello: boot 1 grace 60000 session h'00050000000000000000000000000000'
> check
tuples 2 waiting 1 outcomes 1 sessions 2 taken 1 claims 0
> disk well
+ put 13 [16]
+ outcome session 2 number 16 13
a = [16, 0, 13]
> commit
a < [16, 0, 13]
> a [20, "out", "main", [20]]
+ put 14 [20]
+ outcome session 2 number 20 14
a = [20, 0, 14]
> commit
a < [20, 0, 14]
> check
tuples 4 waiting 0 outcomes 3 sessions 2 taken 1 claims 0
