#!/usr/bin/env python3
"""Guessing and flooding: what wrong passwords cost, and that nobody else pays for it (server/auth/guess_guard.h). Networks are
parts of 127.0.0.0/8."""

import sys
import threading
import time

import cmsd_fixture as fixture
import imap_wire as wire

ATTEMPTS = 10_000
PER_CONNECTION = 90  # a connection may send 100 commands without a login
PER_ADDRESS, PER_NETWORK, PER_ACCOUNT = 30, 100, 4
CONFIGURATION = {
    'guessing': {'per_name': 10, 'per_address': PER_ADDRESS, 'per_network': PER_NETWORK, 'half_life': 3600},
    'limits': {'connections_per_account': PER_ACCOUNT},
}


def connect(server, source):
    return wire.Client(server.host, server.port, source=source)


class Attack:
    """Wrong passwords for many names, from each address of a /24 in turn."""

    def __init__(self, server, threads=40):
        self.server, self.lock = server, threading.Lock()
        self.left, self.answers = ATTEMPTS, {}
        self.threads = [threading.Thread(target=self.run, args=(f'127.0.9.{number + 1}',)) for number in range(threads)]

    def run(self, source):
        while self.left:
            with connect(self.server, source) as client:
                self.guess(client)

    def guess(self, client):
        for _ in range(PER_CONNECTION):
            with self.lock:
                if self.left == 0:
                    return
                self.left -= 1
                number = self.left
            answer = client.command(f'LOGIN +1555019{number % 500:04} wrong{number}')
            with self.lock:
                kind = answer.text.split(']')[0] + ']'
                self.answers[kind] = self.answers.get(kind, 0) + 1

    def running(self):
        return any(thread.is_alive() for thread in self.threads)


def a_right_user_logs_in_meanwhile(server, account):
    """10,000 wrong passwords from one network; users of another log in as they go on, each for the first time. How fast is
    printed: it is the machine's."""
    users = [account] + [server.add_account(number) for number in range(100, 130)]
    attack = Attack(server)
    for thread in attack.threads:
        thread.start()
    slowest, logins = 0, 0
    while attack.running():
        user = users[logins % len(users)]
        started = time.monotonic()
        with connect(server, '127.0.77.1') as client:
            answer = client.command(f'LOGIN {user.user} {user.password}')
            assert answer.status == 'OK', answer
            slowest = max(slowest, time.monotonic() - started)
            client.ok('LOGOUT')
        logins += 1
    for thread in attack.threads:
        thread.join()
    looked_at = attack.answers.get('[AUTHENTICATIONFAILED]', 0)
    print(f'     {ATTEMPTS} wrong passwords: {looked_at} looked at, {attack.answers.get("[LIMIT]", 0)} not; {logins} logins from '
          f'elsewhere, the slowest in {slowest * 1000:.0f} ms')
    assert sum(attack.answers.values()) == ATTEMPTS, attack.answers
    # Those that were being hashed when the lock came are looked at as well: one a connection at most.
    assert PER_NETWORK - 1 <= looked_at <= PER_NETWORK + len(attack.threads), attack.answers
    assert logins >= len(users), logins
    # From the attacker's network nobody new comes in; who was there before does.
    with connect(server, '127.0.9.200') as client:
        refused = client.command(f'LOGIN {account.user} {account.password}')
        assert refused.code('LIMIT') is not None and 'seconds' in refused.text, refused
    server.wait_for_log('event=login_locked_out', 1)


def who_was_there_before_comes_in(server, account):
    with connect(server, '127.0.11.1') as client:
        client.ok(f'LOGIN {account.user} {account.password}')
    # All at once: their answers are held back, one longer than the other.
    guesses = [connect(server, '127.0.11.1') for _ in range(PER_ADDRESS)]
    tags = [client.start(f'LOGIN +155502{number:05} wrong') for number, client in enumerate(guesses)]
    for client, tag in zip(guesses, tags):
        assert client.finish(tag).status == 'NO'
        client.close()
    with connect(server, '127.0.11.1') as client:
        stranger = client.command(f'LOGIN +15550999999 {account.password}')
        assert stranger.code('LIMIT') is not None, stranger
        client.ok(f'LOGIN {account.user} {account.password}')


def an_account_has_so_many_connections(server, account):
    clients = []
    try:
        for _ in range(PER_ACCOUNT):
            clients.append(connect(server, None))
            clients[-1].ok(f'LOGIN {account.user} {account.password}')
        with connect(server, None) as one_more:
            refused = one_more.command(f'LOGIN {account.user} {account.password}')
            assert refused.code('LIMIT') is not None and str(PER_ACCOUNT) in refused.text, refused
            clients[0].ok('UNAUTHENTICATE')
            one_more.ok(f'LOGIN {account.user} {account.password}')
    finally:
        for client in clients:
            client.close()


CASES = [
    ('an account has so many connections', an_account_has_so_many_connections),
    ('who was there before comes in', who_was_there_before_comes_in),
    ('a right user logs in meanwhile', a_right_user_logs_in_meanwhile),
]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES, tables=lambda _: CONFIGURATION))
