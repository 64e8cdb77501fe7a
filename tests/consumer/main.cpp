// What a user's first program needs: the umbrella header and the library behind it.
#include <levin/levin.h>

#include <cstdio>

int main() { std::puts("levin " LEVIN_VERSION); }
