"""pyangbind classes of nesrv's YANG modules, for scripts that configure it; see docs/bindings.md.

``classes`` is generated (``make bindings``) and never edited; the other files are written by hand.
"""
