"""Reads for screens and the API that join rooms: sessions are opened here, frozen values come out."""
