#!/usr/bin/env python3
"""The crash test: kill -9 at random moments, and everything that was acknowledged must still be there.

Each client works alone below its own folder prefix (several clients share an account, and one folder of it that all
of them append to), and knows exactly what was acknowledged. For each account a Deferrer hands over messages that expire
within seconds, and reads some of them as their owner: what was read stays for ever. A Recorder tells the operator's API of
events of conversations and group sessions, many of them more than once: each makes one object. A Device resynchronises by
QRESYNC all the while, and after each kill knows what one knows that fetches everything. A Sharer gives rights to a friend
and takes them away, authorises URLs and revokes them. A Referrer issues references, revokes some and fetches those that are
for one time: none is good a second time. After each kill the server starts again and its whole
state is compared: acknowledged operations have happened; the one that was under way has happened or has not, nothing
in between; nothing is there twice; UIDs, UIDVALIDITYs and mod-sequences never went back. Now and then the stopped
store is checked, once as the crash left it and once after a clean stop.
"""

import hashlib
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import traceback

import cmsd_fixture as fixture
import crash_model as model
import imap_wire as wire
from crash_actors import LARGE, Actor, Deferrer, Device, Limited, Recorder, Referrer, Sharer, list_folders, uid_list

FLAGS = ('\\Seen', '\\Flagged', '\\Deleted', '$Crash')
CHECK_EVERY = 5          # rounds between two checks of the stopped store


def body_of(token, size):
    """The octets of a message: they follow from its token and size, so a fetched body can be checked."""
    head = f'Subject: {token}\r\nMessage-ID: <{token}@crash.example>\r\n\r\n'.encode()
    filler = hashlib.sha256(token.encode()).hexdigest().encode() + b'\r\n'
    octets = (head + filler * (size // len(filler) + 1))[:size - 2]
    return (octets[:-1] + b'x' if octets.endswith(b'\r') else octets) + b'\r\n'


class Worker(Actor):
    """One client: does random operations until the connection breaks, and remembers what was acknowledged."""

    def __init__(self, number, account, seed, shared, killing):
        super().__init__(f'w{number}', account, seed, killing)
        self.prefix, self.shared = self.name, shared
        self.tree = model.Tree()
        self.in_flight = None       # (operation, ...) sent and not answered
        self.shared_acknowledged = {}   # uid -> (token, size), of the folder that all clients append to
        self.shared_in_flight = None
        self.counter = 0
        self.acknowledged = 0
        self.largest_uidvalidity = 0

    # --- working ---

    def act(self, server, done):
        with wire.Client(server.host, server.port).login(self.account.user, self.account.password) as client:
            client.selected = False
            while True:
                self.step(client)
                self.acknowledged += 1
                done()

    def step(self, client):
        if self.random.random() < 0.15:
            return self.append_shared(client)
        operation = self.choose()
        self.in_flight = operation
        answer = self.perform(client, operation)
        self.tree = self.tree.after(operation, answer)
        self.in_flight = None
        if isinstance(operation, model.Create):
            self.tree.folders[operation.folder].uidvalidity = self.new_uidvalidity(client, operation.folder)
        return None

    def message(self):
        self.counter += 1
        size = LARGE if self.random.random() < 0.02 else self.random.randrange(200, 3000)
        flags = frozenset(f for f in FLAGS if f != '\\Deleted' and self.random.random() < 0.3)
        return model.Message(None, f'{self.prefix}-{self.counter}', size, flags)

    def choose(self):
        """A random operation that must succeed."""
        folders = self.tree.folders
        full = [n for n, f in folders.items() if f.messages]
        roll = self.random.random()
        if len(folders) < 2 or (roll < 0.05 and len(folders) < 6):
            self.counter += 1
            # Names come back: a new folder of an old name must have a larger UIDVALIDITY.
            return model.Create(self.free_name())
        name = self.random.choice(sorted(folders))
        if not full or roll < 0.40:
            return model.Append(name, [self.message() for _ in range(self.random.choice((1, 1, 1, 1, 3)))])
        if roll < 0.45 and len(folders) > 2:
            return model.Delete(name)
        if roll < 0.50:
            return model.Rename(name, self.free_name())
        name = self.random.choice(sorted(full))
        uids = [m.uid for m in folders[name].messages]
        some = sorted(self.random.sample(uids, min(len(uids), self.random.randrange(1, 8))))
        if roll < 0.72:
            return model.Store(name, set(some), self.random.random() < 0.7, self.random.choice(FLAGS))
        if roll < 0.90:
            target = self.random.choice(sorted(set(folders) - {name}))
            return model.Copy(name, some, target, move=self.random.random() < 0.5)
        return model.Expunge(name)

    def free_name(self):
        names = [f'{self.prefix}/f{i}' for i in range(8)]
        return self.random.choice([n for n in names if n not in self.tree.folders])

    def perform(self, client, operation):
        """Sends one operation and waits for its tagged OK. Returns the new UIDs, where there are any."""
        o = operation
        if isinstance(o, model.Append):
            return self.append(client, o.folder, o.messages)
        if isinstance(o, model.Create):
            client.ok(f'CREATE {o.folder}')
            return None
        # A server may drop a session whose selected folder goes away; that is not what is tested here.
        if isinstance(o, (model.Delete, model.Rename)) and client.selected:
            client.ok('UNSELECT')
            client.selected = False
        if isinstance(o, model.Delete):
            client.ok(f'DELETE {o.folder}')
        elif isinstance(o, model.Rename):
            client.ok(f'RENAME {o.folder} {o.target}')
        else:
            client.ok(f'SELECT {o.folder}')
            client.selected = True
            answer = self.perform_selected(client, o)
            return answer
        return None

    @staticmethod
    def perform_selected(client, o):
        if isinstance(o, model.Store):
            client.ok(f'UID STORE {",".join(map(str, sorted(o.uids)))} {"+" if o.add else "-"}FLAGS.SILENT ({o.flag})')
        elif isinstance(o, model.Expunge):
            client.ok('EXPUNGE')
        else:
            answer = client.ok(f'UID {"MOVE" if o.move else "COPY"} {",".join(map(str, o.uids))} {o.target}')
            text = answer.text + ' '.join(line.decode(errors='replace') for line in answer.untagged)
            code = re.search(r'\[COPYUID \d+ (\S+) (\S+)\]', text)
            source, new = uid_list(code.group(1)), uid_list(code.group(2))
            assert source == o.uids and len(new) == len(source), f'COPYUID {code.group(0)} for {o.uids}'
            return new
        return None

    def append(self, client, folder, messages):
        """APPEND, or MULTIAPPEND, with one literal a message."""
        tag, parts = client.tag(), []
        for m in messages:
            octets = body_of(m.token, m.size)
            parts.append((f' ({" ".join(sorted(m.flags))}) {{{len(octets)}+}}\r\n'.encode(), octets))
        client.send(f'{tag} APPEND {folder}'.encode() + b''.join(a + b for a, b in parts) + b'\r\n')
        answer = client.finish(tag)
        assert answer.status == 'OK', f'APPEND {folder}: {answer.tagged!r}'
        code = answer.code('APPENDUID')
        return uid_list(code.split()[1]) if code else None

    def append_shared(self, client):
        m = self.message()
        m.flags = frozenset()
        self.shared_in_flight = (m.token, m.size)
        uid, = self.append(client, self.shared, [m])
        assert uid not in self.shared_acknowledged, f'UID {uid} was given out twice in {self.shared}'
        self.shared_acknowledged[uid] = (m.token, m.size)
        self.shared_in_flight = None

    def new_uidvalidity(self, client, folder):
        """Of a folder just created: larger than any before."""
        text = b''.join(client.ok(f'STATUS {folder} (UIDVALIDITY)').untagged)
        value = int(re.search(rb'UIDVALIDITY (\d+)', text).group(1))
        assert value > self.largest_uidvalidity, f'{folder}: UIDVALIDITY {value} after {self.largest_uidvalidity}'
        self.largest_uidvalidity = value
        return value

    # --- verifying ---

    def verify(self, client):
        """Compares the server's state with what was acknowledged, and takes it over. Returns what is wrong."""
        actual = {name: read_folder(client, name) for name in list_folders(client, self.prefix)}
        wrong = model.difference(self.tree.folders, actual)
        if wrong and self.in_flight is not None:
            other = model.difference(self.tree.after(self.in_flight).folders, actual)
            wrong = other and f'neither before {self.in_flight} ({wrong}) nor after it ({other})'
        if wrong:
            return f'{self.prefix}: {wrong}'
        for name, folder in actual.items():
            known = self.tree.folders.get(name)
            if known is None and isinstance(self.in_flight, model.Rename):
                known = self.tree.folders.get(self.in_flight.folder)
            folder.uidnext = max(folder.uidnext, known.uidnext if known else 1)
            self.largest_uidvalidity = max(self.largest_uidvalidity, folder.uidvalidity)
        self.tree.folders, self.in_flight = actual, None
        return None


def read_folder(client, name):
    """The whole content of a folder, every body compared with what its token says."""
    selected = client.ok(f'EXAMINE {name}')
    text = b''.join(selected.untagged)
    folder = model.Folder(int(re.search(rb'UIDVALIDITY (\d+)', text).group(1)), int(re.search(rb'UIDNEXT (\d+)', text).group(1)))
    exists = int(re.search(rb'(\d+) EXISTS', text).group(1))
    if exists == 0:
        return folder
    rows = wire.fetched(client.ok('FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])'))
    assert len(rows) == exists, f'{name}: {exists} EXISTS but {len(rows)} fetched'
    for number in sorted(rows):
        row = rows[number]
        head, octets = row[:row.find(b'BODY[]')] + row[row.rfind(b')'):], wire.literal(row)
        token = re.match(rb'Subject: (\S+)\r\n', octets).group(1).decode()
        assert octets == body_of(token, len(octets)), f'{name}: message {number} ({token}) has other octets than were appended'
        flags = re.search(rb'FLAGS \(([^)]*)\)', head).group(1).decode().split()
        folder.messages.append(model.Message(int(re.search(rb'UID (\d+)', head).group(1)), token,
                                             int(re.search(rb'RFC822\.SIZE (\d+)', head).group(1)),
                                             frozenset(flags) - {'\\Recent'}))
    return folder


def verify_shared(client, name, workers):
    """Every acknowledged append is there once, under its UID; of the others at most those that were under way."""
    folder = read_folder(client, name)
    there = {m.uid: (m.token, m.size) for m in folder.messages}
    acknowledged = {}
    for worker in workers:
        acknowledged.update(worker.shared_acknowledged)
    for uid, what in acknowledged.items():
        if there.get(uid) != what:
            return f'{name}: acknowledged {what} as UID {uid}, there is {there.get(uid)}'
    tokens = [token for token, _ in there.values()]
    if len(tokens) != len(set(tokens)):
        return f'{name}: something is there twice: {sorted(t for t in tokens if tokens.count(t) > 1)[:5]}'
    for uid, what in there.items():
        if uid not in acknowledged:
            owner = next((w for w in workers if w.shared_in_flight == what), None)
            if owner is None:
                return f'{name}: UID {uid} {what} was never sent, or its APPEND was refused'
            owner.shared_acknowledged[uid] = what
    for worker in workers:
        worker.shared_in_flight = None
    return None


class Rounds:
    """The loop of work, kill, restart, verify."""

    def __init__(self, server, options):
        self.server, self.options = server, options
        self.random = random.Random(options.seed)
        self.groups = []          # (shared folder, its workers), one group an account
        self.killing = threading.Event()
        self.deferrers = []       # one an account, where the peer knows deferred messages
        self.recorders = []       # likewise
        self.devices = []         # one an account, where the peer knows QRESYNC
        self.sharers = []         # one an account, where the peer knows ACL and URLAUTH
        self.referrers = []       # likewise
        self.friend = None        # of all sharers
        self.limited = []         # one, where the peer's quotas can be set
        self.modseqs = {}         # account -> the largest HIGHESTMODSEQ seen

    def prepare(self):
        number = 0
        defers = self.options.peer != 'dovecot'
        if defers:
            self.server.add_pf(Deferrer.PF, Deferrer.PASSWORD)
        for account_number in range(1, self.options.accounts + 1):
            account = self.server.add_account(account_number)
            workers = []
            for _ in range(self.options.clients // self.options.accounts):
                workers.append(Worker(number, account, self.random.random(), 'shared', self.killing))
                number += 1
            with wire.Client(self.server.host, self.server.port).login(account.user, account.password) as client:
                client.ok('CREATE shared')
                if defers:
                    client.ok(f'CREATE {Deferrer.FOLDER}')
                    self.deferrers.append(Deferrer(account, self.random.random(), self.killing))
                    self.recorders.append(Recorder(account, self.random.random(), self.killing))
                have = client.capabilities()
                if 'QRESYNC' in have:
                    self.devices.append(Device(account, self.random.random(), self.killing))
                if {'ACL', 'URLAUTH'} <= have:
                    self.friend = self.friend or self.server.add_account(self.options.accounts + 1)
                    self.sharers.append(Sharer(account, self.friend, self.random.random(), self.killing))
                    self.sharers[-1].prepare(client)
                    self.referrers.append(Referrer(account, self.random.random(), self.killing))
                    self.referrers[-1].prepare(client)
                missing = {'UIDPLUS', 'MOVE', 'MULTIAPPEND', 'LITERAL+'} - have
                assert not missing, f'the server lacks {missing}'
            self.groups.append(('shared', workers))
        if defers:
            account = self.server.add_account(self.options.accounts + 2)
            self.server.run_admin('quota', 'set', account.address, f'messages={Limited.LIMIT}')
            self.limited.append(Limited(account, self.random.random(), self.killing))

    def workers(self):
        return [w for _, workers in self.groups for w in workers]

    def everybody(self):
        return self.workers() + self.deferrers + self.recorders + self.devices + self.sharers + self.referrers + self.limited

    def work_and_kill(self):
        """Lets all clients work; kills the server right after a random number of acknowledgements."""
        target = self.random.randrange(5, self.options.operations)
        self.killing.clear()
        reached, count, lock = threading.Event(), [0], threading.Lock()

        def done():
            with lock:
                count[0] += 1
                if count[0] >= target or any(w.error for w in self.everybody()):
                    reached.set()
        threads = [threading.Thread(target=w.work, args=(self.server, done)) for w in self.everybody()]
        for thread in threads:
            thread.start()
        reached.wait(120)
        # A kill always right after an answer would never hit the middle of a commit.
        spin = time.perf_counter() + self.random.random() * 0.01
        while time.perf_counter() < spin:
            pass
        self.killing.set()
        self.server.kill()
        for thread in threads:
            thread.join(60)
        errors = [w.error for w in self.everybody() if w.error]
        assert not errors, errors[0]
        assert reached.is_set(), f'only {count[0]} of {target} operations were acknowledged in two minutes'
        return count[0]

    def verify(self):
        for shared, workers in self.groups:
            account = workers[0].account
            with wire.Client(self.server.host, self.server.port, timeout=300).login(account.user, account.password) as client:
                for worker in workers:
                    wrong = worker.verify(client)
                    assert not wrong, wrong
                wrong = verify_shared(client, shared, workers)
                assert not wrong, wrong
                self.verify_modseq(client, account)
                for other in self.deferrers + self.recorders + self.sharers + self.referrers:
                    wrong = other.account is account and other.verify(client)
                    assert not wrong, wrong

        for referrer in self.referrers:
            wrong = referrer.verify_list(self.server)
            assert not wrong, wrong
        for device in self.devices:
            wrong = device.verify(self.server)
            assert not wrong, wrong
        for limited in self.limited:
            with wire.Client(self.server.host, self.server.port).login(limited.account.user, limited.account.password) as client:
                wrong = limited.verify(client)
                assert not wrong, wrong
        if self.sharers:
            with wire.Client(self.server.host, self.server.port).login(self.friend.user, self.friend.password) as client:
                for sharer in self.sharers:
                    wrong = sharer.verify_friend(client)
                    assert not wrong, wrong

    def verify_modseq(self, client, account):
        if not client.capabilities() & {'CONDSTORE', 'QRESYNC'}:
            return
        text = b''.join(client.ok('STATUS shared (HIGHESTMODSEQ)').untagged)
        value = int(re.search(rb'HIGHESTMODSEQ (\d+)', text).group(1))
        before = self.modseqs.get(account.user, 0)
        assert value >= before, f'HIGHESTMODSEQ {value} after {before}'
        self.modseqs[account.user] = value

    def round(self, number):
        acknowledged = self.work_and_kill()
        if number % CHECK_EVERY == 0:
            self.server.check_store()      # as the crash left it
        self.server.start()
        self.verify()
        if number % CHECK_EVERY == 0:
            assert self.server.stop() == 0, 'not a clean stop'
            self.server.check_store()
            self.server.start()
        return acknowledged


def main():
    parser = fixture.parser(__doc__)
    parser.add_argument('--rounds', type=int, default=50)
    parser.add_argument('--clients', type=int, default=6)
    parser.add_argument('--accounts', type=int, default=2)
    parser.add_argument('--operations', type=int, default=400, help='at most so many acknowledgements a round')
    parser.add_argument('--seed', type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f'seed {options.seed}')
    directory = tempfile.mkdtemp(prefix='cmsd-crash-', dir='/tmp')
    total, server, failed = 0, None, True
    try:
        server = fixture.Dovecot(directory) if options.peer == 'dovecot' else fixture.Cmsd(options.build, directory, tables={'pf': {'act_for': ['tel:*', 'sip:*']}})
        rounds = Rounds(server.start(), options)
        rounds.prepare()
        for number in range(1, options.rounds + 1):
            started = time.monotonic()
            acknowledged = rounds.round(number)
            total += acknowledged
            print(f'PASS round {number}: killed after {acknowledged} acknowledgements, '
                  f'{sum(len(f.messages) for w in rounds.workers() for f in w.tree.folders.values())} messages verified '
                  f'({time.monotonic() - started:.1f} s)', flush=True)
        server.stop()
        server.check_store()
        returns = sum(device.returns for device in rounds.devices)
        assert returns or not rounds.devices, 'no device ever came back to a folder that it knew'
        assert not rounds.limited or sum(one.refused for one in rounds.limited), 'the quota never refused anything'
        print(f'PASS {returns} returns of a device to a folder', flush=True)
        failed = False
        print(f'PASS store check after {options.rounds} kills and {total} acknowledged operations', flush=True)
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        print(server.log_tail() if server else '')
        print(f'FAIL crash test, seed {options.seed}: {str(error)[:1000]}', flush=True)
    finally:
        if server is not None and server.running():
            server.kill()
        if failed or options.keep:
            print(f'the store is kept in {directory}')
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
