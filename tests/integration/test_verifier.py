#!/usr/bin/env python3
"""Users' passwords are a subscriber database's: a small one, played by Python's http.server."""

import http.server
import json
import os
import sys
import threading

import cmsd_fixture as fixture
import imap_wire as wire

TOKEN = 'token-of-the-store'


class Database:
    """Knows one password for everybody, while it is well."""

    def __init__(self):
        self.well, self.questions = True, []
        database = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                assert self.headers['Authorization'] == f'Bearer {TOKEN}'
                database.questions.append(question)
                if not database.well:
                    return self.send_error(500)
                body = json.dumps({'result': 'right' if question['password'] == 'subscribed' else 'wrong'}).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                return self.wfile.write(body)

            def log_message(self, *_arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server.server_address[1]}/verify'


DATABASE = Database()


def configured(folder):
    token = os.path.join(folder, 'verifier.token')
    with open(token, 'w', encoding='ascii') as out:
        out.write(TOKEN + '\n')
    # The longest time-out there is: on a busy machine this program may take more than the usual 2 s to answer.
    return {'verifier': {'url': DATABASE.url, 'token_file': token, 'timeout': 30, 'failures': 2, 'pause': 1}}


def log_in(server, account, password):
    with wire.Client(server.host, server.port) as client:
        return client.command(f'LOGIN {account.user} {password}')


def the_database_decides(server, account):
    with wire.Client(server.host, server.port) as client:
        words = client.ok('CAPABILITY').untagged[0]
        assert b'AUTH=PLAIN' in words and b'SCRAM' not in words, words
    assert log_in(server, account, 'subscribed').status == 'OK'
    assert DATABASE.questions[-1] == {'login': account.user, 'address': account.alias, 'password': 'subscribed',
                                      'peer': '127.0.0.1'}, DATABASE.questions[-1]
    assert '[AUTHENTICATIONFAILED]' in log_in(server, account, 'guess').text
    assert '[AUTHENTICATIONFAILED]' in log_in(server, account, account.password).text, "the store's own is not asked"
    stranger = fixture.Account(990)
    assert '[CONTACTADMIN]' in log_in(server, stranger, 'subscribed').text


def it_is_down_and_comes_back(server, _account):
    user = server.add_account(991)
    DATABASE.well = False
    asked = len(DATABASE.questions)
    for _ in range(5):
        assert '[UNAVAILABLE]' in log_in(server, user, 'subscribed').text
    assert len(DATABASE.questions) >= asked + 2
    server.wait_for_log('event=verifier_failed', 2)
    DATABASE.well = True
    while log_in(server, user, 'subscribed').status != 'OK':  # the pause is a second
        pass


CASES = [('a subscriber database decides', the_database_decides),
         ('it is down, and comes back', it_is_down_and_comes_back)]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES, tables=configured))
