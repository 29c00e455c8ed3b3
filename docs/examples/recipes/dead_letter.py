"""Dead letters: a job that fails again and again gets out of the way, and can be looked at.

    tilia run --on 1/local docs/examples/recipes/dead_letter.py

A space with `tries` buries what was claimed so often in vain in NAME.dead. `tilia space kick
orders` puts dead letters back when the fault is found.
"""
import tilia

space = tilia.space("orders")
space.create(tries=3)
for i in range(5):
    space.out("order", i)

filled = []
while len(filled) < 4:
    for order in space.claims("order", int, lease=30):
        with order:
            if order[1] == 2:
                order.back()  # nobody can fill this one
            else:
                filled.append(order[1])
        break
while space.count("order", 2):
    for order in space.claims("order", int, lease=30):
        order.back()
        break
dead = tilia.space("orders.dead").rd("order", int)
assert dead[1] == 2 and sorted(filled) == [0, 1, 3, 4], (dead, filled)
print("ok: 4 orders filled, order 2 among the dead after 3 tries")
