#include "conf/standard_error.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "conf/write_file.h"

namespace conf {

namespace {

constexpr int kPatienceMs = 200;      // between looks at whether the end has come
constexpr size_t kPieceOctets = 512;  // POLLOUT means that a pipe or a socket takes so much at once

std::mutex writer_mutex;
StandardErrorWriter* writer = nullptr;

}  // namespace

void say(std::string line) {
  line.insert(0, "penstock: ");
  line += '\n';
  const std::lock_guard<std::mutex> lock(writer_mutex);
  if (writer != nullptr) {
    writer->add(std::move(line));
  } else {
    std::fputs(line.c_str(), stderr);
  }
}

StandardErrorWriter::StandardErrorWriter() : thread_([this] { run(); }) {
  const std::lock_guard<std::mutex> lock(writer_mutex);
  writer = this;
}

StandardErrorWriter::~StandardErrorWriter() {
  {
    const std::lock_guard<std::mutex> lock(writer_mutex);
    writer = nullptr;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    work_.notify_all();
  }
  thread_.join();
}

void StandardErrorWriter::add(std::string line) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (lines_.size() >= kMost) {
    ++lost_;
    return;
  }
  if (lost_ > 0) {
    lines_.push_back("penstock: " + std::to_string(lost_) +
                     " lines are missing here: nobody read standard error\n");
    lost_ = 0;
  }
  lines_.push_back(std::move(line));
  work_.notify_all();
}

void StandardErrorWriter::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
    if (lines_.empty()) return;
    const std::string line = std::move(lines_.front());
    lines_.pop_front();
    lock.unlock();
    const bool written = write_out(line);
    lock.lock();
    if (!written) return;
  }
}

// False: the end has come, and nobody reads.
bool StandardErrorWriter::write_out(std::string_view text) {
  while (!text.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return false;
      continue;
    }
    const std::string_view piece = text.substr(0, kPieceOctets);
    if (!write_all(STDERR_FILENO, piece))
      return true;  // it is closed, or its disk is full: nobody can be told
    text.remove_prefix(piece.size());
  }
  return true;
}

}  // namespace conf
