# Sessions of clients that went away at once are over with their grace.
> quiet
> many 16000 hello
> loud
> check
tuples 0 waiting 0 outcomes 0 sessions 16000 taken 0 claims 0
> pass 59s
> check
tuples 0 waiting 0 outcomes 0 sessions 16000 taken 0 claims 0
> quiet
> pass 2s
> loud
> check
tuples 0 waiting 0 outcomes 0 sessions 0 taken 0 claims 0

