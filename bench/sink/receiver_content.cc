// The content of a message: where it ends, its X-Load-Id, and what becomes of it.
#include <strings.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "bench/sink/receiver.h"

namespace bench {
namespace {

constexpr size_t kMaxFieldLine = 12288;  // what is longer is no field that we look for
constexpr size_t kMaxKeptHeader = 4096;  // that a late report brings back
constexpr std::string_view kIdField = "X-Load-Id:";

}  // namespace

size_t Receiver::feed_chunk(std::string_view bytes, std::string* replies) {
  const size_t used = static_cast<size_t>(std::min<uint64_t>(bytes.size(), chunk_left_));
  chunk_left_ -= used;
  size_bytes_ += used;
  if (in_header_ && !chunk_discarded_) scan_header(bytes.substr(0, used));
  if (chunk_left_ > 0) return used;
  phase_ = Phase::kCommand;
  if (chunk_discarded_) {
    replies->append("503 5.5.1 No valid recipients\r\n");
    if (last_chunk_) reset_transaction();
  } else if (last_chunk_) {
    end_message(replies);
  } else {
    replies->append("250 2.0.0 Chunk taken\r\n");
  }
  return used;
}

// Looks for CRLF . CRLF. Content has few dots, so memchr for the dot passes over it at the speed of memory;
// only the start and the end of a segment are matched byte by byte, as a terminator may be split between
// segments.
size_t Receiver::feed_data(std::string_view bytes, std::string* replies) {
  static constexpr std::string_view kEnd = "\r\n.\r\n";
  size_t at = 0;
  while (at < bytes.size()) {
    if (matched_ == 0 || matched_ == 1) {
      const void* dot = std::memchr(bytes.data() + at, '.', bytes.size() - at);
      const size_t stop =
          dot == nullptr ? bytes.size() : static_cast<size_t>(static_cast<const char*>(dot) - bytes.data());
      // Begin again two bytes before the dot, or before the end: that is where a CRLF can stand.
      if (stop > at + 2) {
        at = stop - 2;
        matched_ = 0;
      }
    }
    const char c = bytes[at++];
    matched_ = c == kEnd[matched_] ? matched_ + 1 : (c == '\r' ? 1 : 0);
    if (matched_ == kEnd.size()) break;
  }
  size_bytes_ += at;
  if (in_header_) scan_header(bytes.substr(0, at));
  if (matched_ == kEnd.size()) {
    phase_ = Phase::kCommand;
    line_.clear();
    end_message(replies);
  }
  return at;
}

void Receiver::scan_header(std::string_view bytes) {
  while (in_header_ && !bytes.empty()) {
    const void* end = std::memchr(bytes.data(), '\n', bytes.size());
    if (end == nullptr) {
      if (line_.size() < kMaxFieldLine) line_.append(bytes);
      return;
    }
    const size_t length = static_cast<size_t>(static_cast<const char*>(end) - bytes.data());
    if (line_.empty()) {
      header_line(bytes.substr(0, length));
    } else {
      line_.append(bytes.substr(0, length));
      header_line(line_);
      line_.clear();
    }
    bytes.remove_prefix(length + 1);
  }
}

void Receiver::header_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) {
    in_header_ = false;
    return;
  }
  if (wants_late() && header_.size() + line.size() < kMaxKeptHeader) header_.append(line).append("\r\n");
  if (line.size() < kIdField.size() || strncasecmp(line.data(), kIdField.data(), kIdField.size()) != 0)
    return;
  line.remove_prefix(kIdField.size());
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  message_id_.assign(line);
}

void Receiver::end_message(std::string* replies) {
  const uint32_t recipients = recipients_;
  const bool too_large = max_size() > 0 && size_bytes_ > max_size();
  line_.clear();
  std::vector<uint32_t> slots = std::move(slots_);
  std::vector<std::string> paths = std::move(paths_);
  reset_transaction();
  if (too_large) {
    replies->append("552 5.3.4 Message too large\r\n");
    return;
  }
  if (std::exchange(early_, false)) return;  // has its 250, and is nowhere
  if (fails(FailAt::kDot, replies) || !goes_on(Stage::kDot, {}, replies)) return;
  slots_ = std::move(slots);
  if (site_ != nullptr) site_->took(&visit_, recipients);
  if (wants_late()) decide_late(paths);
  ++tally_->messages;
  tally_->recipients += recipients;
  tally_->bytes += size_bytes_;
  if (options_.delay_ms > 0) {
    pause_ += conf::Duration(options_.delay_ms * 1000LL);
    held_from_ = replies->size();
  }
  taken_ = true;
}

void Receiver::decide_late(const std::vector<std::string>& paths) {
  LateReport report;
  for (const std::string& path : paths) {
    if (!site_->comes_back(visit_, path, &report)) continue;
    report.header = header_;
    late_.push_back(report);
  }
}

void Receiver::begin_content() {
  header_.clear();
  content_begun_ = true;
  content_fresh_ = true;
  in_header_ = true;
  message_id_.clear();
  size_bytes_ = 0;
  matched_ = 2;  // the CRLF of the DATA command counts (RFC 5321 §4.1.1.4)
  line_.clear();
}

}  // namespace bench
