"""The commands of kg-reason: each reads its arguments, calls one verb of the library, and shows what came of it."""
