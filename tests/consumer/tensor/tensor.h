#error "levin took the user's header of the same name for its own"
