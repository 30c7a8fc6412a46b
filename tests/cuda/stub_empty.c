/* A library that is there: NAME() says which one. */
int NAME(void) { return 42; }
