#!/usr/bin/env python3
"""Does the time of a refusal tell whether there is such a user? A statistical comparison, outside CI: run it on a quiet machine.

Wrong passwords for a user, for a user whose hash was imported (SHA-512-crypt), and for names that nobody has, in random order, each
pair from an address of its own, so that no delay is earned. Prints the medians and, for each pair of kinds, how often one
of the first takes longer than one of the second: 0.50 is no difference, and what is within 0.45 to 0.55 passes.

usage: timing_login.py [--build DIR] [--rounds 900]
"""

import itertools
import random
import statistics
import sys
import time

import cmsd_fixture as fixture
import imap_wire as wire

BOUND = 0.05
IMPORTED = fixture.Account(2)
# "secret", by `openssl passwd -6`
SHA512_CRYPT = ('$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq'
                '.H91p5hVO1')


def refusal(server, source, user):
    """Seconds from the command to its refusal, on a connection that is up."""
    with wire.Client(server.host, server.port, source=source) as client:
        started = time.perf_counter()
        answer = client.command(f'LOGIN {user} wrong-password')
        took = time.perf_counter() - started
    assert '[AUTHENTICATIONFAILED]' in answer.text, answer.text
    return took


def longer(some, others):
    """The share of pairs in which the first is the longer one."""
    won = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a in some for b in others)
    return won / (len(some) * len(others))


def compare(server, account, rounds):
    server.run_admin('account', 'load', '-', stdin=f'{{"address": "{IMPORTED.address}", "password_hash": "{SHA512_CRYPT}"}}\n')
    users = {'a user': lambda _: account.user, 'an imported hash': lambda _: IMPORTED.address,
             'nobody': lambda number: f'+15559{number:06}'}
    took = {kind: [] for kind in users}
    for number in range(rounds):
        source = f'127.{1 + number // 16000}.{1 + number // 100 % 160}.{1 + number % 100}'
        order = list(users)
        random.shuffle(order)
        for kind in order[:2]:  # the third failure of an address waits
            took[kind].append(refusal(server, source, users[kind](number)))
    for kind, times in took.items():
        print(f'     {kind}: {len(times)} refusals, median {statistics.median(times) * 1000:.2f} ms')
    bad = 0
    for one, other in itertools.combinations(took, 2):
        share = longer(took[one], took[other])
        bad += abs(share - 0.5) > BOUND
        print(f'     {one} longer than {other}: {share:.3f}')
    assert not bad, 'the time tells them apart'


def main():
    options = fixture.parser(__doc__)
    options.add_argument('--rounds', type=int, default=900)
    options = options.parse_args()
    cases = [('the time of a refusal tells nothing', lambda server, account: compare(server, account, options.rounds))]
    return fixture.run_cases(options, cases)


if __name__ == '__main__':
    sys.exit(main())
