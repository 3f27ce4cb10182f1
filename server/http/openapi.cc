#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr const char* kText =
#include "server/http/openapi_text.inc"
    ;

}  // namespace

asio::awaitable<void> OpenApi(Call& call, Services& /*services*/) {
  return call.ReplyText("application/yaml", kText);
}

}  // namespace server::http
