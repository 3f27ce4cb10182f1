#include "protocol/imap/parse/commands.h"

namespace protocol::parse {

// compress  = "COMPRESS" SP algorithm                                ; RFC 4978 §5
// algorithm = "DEFLATE"
Parsed<command::Compress> ParseCompress(Cursor& in) {
  in.Space();
  if (!in.AcceptWord("DEFLATE")) in.Fail("DEFLATE");
  return in.Finish(command::Compress{});
}

}  // namespace protocol::parse
