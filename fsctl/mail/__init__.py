"""Mails of missed calls: addresses, the server that takes them, and what is written in them.

Knows the store and the hunt; who sends what when is the controller's (``fsctl.controller.mailer``).
"""
