"""What can be wrong with an installation: each part is looked at, each fault says what to do.

Owns the questions that ``fsctl check`` puts; changes nothing. Knows settings, the store, the rules
of ``admin`` and the event socket, and no face.
"""
