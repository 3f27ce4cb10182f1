#!/usr/bin/env python3
"""Makes a C++ string literal of a text file.

usage: embed_text.py INPUT OUTPUT
"""

import sys

text = open(sys.argv[1], encoding='utf-8').read()
assert ')text"' not in text
with open(sys.argv[2], 'w', encoding='utf-8') as out:
    out.write(f'R"text({text})text"\n')
