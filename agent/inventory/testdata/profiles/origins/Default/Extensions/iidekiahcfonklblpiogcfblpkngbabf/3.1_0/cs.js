// inert
