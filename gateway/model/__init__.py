"""Every value that passes between rooms: frozen dataclasses and closed sets of words, standard library only."""
