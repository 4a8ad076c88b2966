"""What an administrator can do: create, change and look at groups, with the rules and the errors.

Owns the rules. Knows the store and the hunt; the command line and a web panel are two faces of it,
and no rule may live in a face.
"""
