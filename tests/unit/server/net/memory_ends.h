#pragma once

#include <openssl/ssl.h>

namespace server_test {

/// Both ends of a connection in one thread, over memory, before their handshake.
inline void JoinInMemory(SSL& server, SSL& client) {
  BIO* ends[2];
  BIO_new_bio_pair(&ends[0], 0, &ends[1], 0);
  SSL_set_bio(&server, ends[0], ends[0]);
  SSL_set_bio(&client, ends[1], ends[1]);
  SSL_set_accept_state(&server);
  SSL_set_connect_state(&client);
}

}  // namespace server_test
