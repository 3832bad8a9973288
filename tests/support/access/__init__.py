"""Who may do what: every route, by every method, as every caller, held against the tables of access_matrix.txt."""
