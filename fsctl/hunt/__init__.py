"""The hunt: who rings when, who gets the caller, how a call ends.

Owns the decisions. Pure: it is given a group's plan, events and the time, and returns actions;
it never reads a clock, sleeps, draws lots, or touches a socket or a database.
"""
