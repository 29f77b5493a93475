"""The bytes: names, encryption, uploads, seals, retention and the one door to the object store."""
