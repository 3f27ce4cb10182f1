#pragma once

#include "protocol/mime/source.h"
#include "storage/kv/engine.h"
#include "storage/store/body_source.h"
#include "storage/store/message.h"

namespace storage {

/// A staged body as MIME sees it: the chunks in the store, then the octets still in memory.
class StagedSource final : public protocol::mime::Source {
 public:
  StagedSource(const StagedBody& body, kv::Engine& engine)
      : body_(body),
        in_store_(std::uint64_t{body.chunks_written_} * StagedBody::kChunk),
        chunks_(body.account_, body.object_, in_store_,
                [&engine](const std::string& key) { return ToOctets(engine.Get(kv::Table::kBodies, key)); }) {
  }

  std::uint64_t size() const override { return body_.size_; }
  /// Octets could not be had: what was read is not what there is.
  bool failed() const { return failed_; }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    if (offset < in_store_) {
      const auto octets = chunks_.Read(offset, out);
      failed_ = failed_ || octets < 0;
      return octets;
    }
    return protocol::mime::MemorySource(body_.tail_).Read(offset - in_store_, out);
  }

 private:
  const StagedBody& body_;
  std::uint64_t in_store_;
  BodySource chunks_;
  bool failed_ = false;
};

}  // namespace storage
