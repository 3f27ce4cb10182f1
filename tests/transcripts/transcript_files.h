#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tests::transcript {

/// Every tests/transcripts/<topic>/<case>.imap, sorted.
std::vector<std::filesystem::path> TranscriptFiles();

std::string ReadTranscript(const std::filesystem::path& file);

}  // namespace tests::transcript
