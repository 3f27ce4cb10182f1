#!/usr/bin/env python3
"""Loads the demo store (etc/demo) into an account over IMAP: folders, octets, flags and dates as its manifest says.

usage: load_demo.py --port N --user NAME --password-file FILE

An interrupted load can be repeated: a folder that has n messages is taken to have its first n.
"""

import argparse
import imaplib
import json
import os
import sys

DEMO = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'etc', 'demo')


def must(answer, what):
    if answer[0] != 'OK':
        sys.exit(f'{what}: {answer[1]}')
    return answer[1]


def quoted(folder):
    return f'"{folder}"'


def make(session, folder):
    """As its user would have: a conversation that lies elsewhere began in the default folder and was moved, or it would be a plain folder."""
    name = folder.rsplit('/', 1)[-1]
    began = f'Default/{name}'
    if not name.startswith(('tel:', 'sip:')) or folder == began:
        must(session.create(quoted(folder)), f'CREATE {folder}')
        return
    if session.select(quoted(began))[0] != 'OK':  # else it is there from a load that was interrupted
        must(session.create(quoted(began)), f'CREATE {began}')
    must(session.rename(quoted(began), quoted(folder)), f'RENAME {began} {folder}')


def prepare(session, folder):
    """Makes the folder if it is missing and subscribes to it; how many messages it has."""
    if session.select(quoted(folder))[0] != 'OK':
        make(session, folder)
        must(session.select(quoted(folder)), f'SELECT {folder}')
    count = int(session.response('EXISTS')[1][-1])
    session.unselect()
    must(session.subscribe(quoted(folder)), f'SUBSCRIBE {folder}')
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--port', type=int, required=True)
    parser.add_argument('--user', required=True)
    parser.add_argument('--password-file', required=True)
    options = parser.parse_args()
    with open(options.password_file, encoding='utf-8') as source:
        password = source.read().rstrip('\n')
    with open(os.path.join(DEMO, 'manifest.jsonl'), encoding='utf-8') as rows:
        objects = [json.loads(row) for row in rows]
    session = imaplib.IMAP4('127.0.0.1', options.port, timeout=60)
    session.login(options.user, password)
    have = {folder: prepare(session, folder) for folder in dict.fromkeys(o['folder'] for o in objects)}
    loaded = 0
    for one in objects:
        if have[one['folder']] > 0:
            have[one['folder']] -= 1
            continue
        with open(os.path.join(DEMO, one['file']), 'rb') as source:
            octets = source.read()
        must(session.append(quoted(one['folder']), f'({" ".join(one["flags"])})', f'"{one["internal_date"]}"', octets),
             f'APPEND {one["file"]}')
        loaded += 1
    session.logout()
    print(f'{loaded} messages in {len(have)} folders', file=sys.stderr)
    return 0


if __name__ == '__main__':
    sys.exit(main())
