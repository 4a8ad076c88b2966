"""The store: tables, queries, the engine and its migrations, on SQLite or PostgreSQL.

Owns every SQL statement. Knows the hunt's plain values, and no rule of what an administrator may
do: that is ``fsctl.admin``.
"""
