"""The administrator's panel: pages in a browser and a JSON interface, two more faces of ``admin``.

Owns what travels over HTTP: pages, forms, sessions' cookies, languages. Knows ``admin`` and the
store, never a running controller: what is under way it reads from the database. No rule about
groups may live here.
"""
