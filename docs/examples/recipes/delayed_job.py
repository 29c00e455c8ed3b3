"""A job for later, and a retry that waits longer each time.

    tilia run --on 1/local docs/examples/recipes/delayed_job.py

`delay` hides a tuple until it is due. A job that failed goes back with a delay that grows with
the number of tries.
"""
import time

import tilia

space = tilia.space()
space.out("mail", "later", delay=0.3)
space.out("mail", "now")
assert space.in_("mail", str)[1] == "now"
assert space.inp("mail", str) is None   # it is not due
assert space.count("mail", str) == 1    # but it is there
started = time.monotonic()
for job in space.claims("mail", str, lease=30):
    if job.tries < 3:
        job.back(delay=0.1 * 2 ** job.tries)  # fails twice: due again in 0.2, then 0.4 s
        continue
    job.done()
    break
waited = time.monotonic() - started
assert waited > 0.5, waited
print("ok: sent at the third try")
