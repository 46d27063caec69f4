#include "relay/host/text_keeper.h"

#include <algorithm>

#include "bounce/bare_name.h"
#include "bounce/diagnostic.h"
#include "bounce/qualification_table.h"
#include "relay/host/text_table_file.h"

namespace relay {

TextKeeper::TextKeeper(std::string path, std::shared_ptr<const bounce::Qualifier> qualifier,
                       std::function<void(const std::string&)> say)
    : path_(std::move(path)),
      say_(std::move(say)),
      qualifier_(std::move(qualifier)),
      thread_([this] { run(); }) {}

std::unique_ptr<TextKeeper> TextKeeper::make(const conf::Config& config,
                                             std::shared_ptr<const bounce::Qualifier> qualifier,
                                             std::function<void(const std::string&)> say) {
  const std::string path = text_table_path(config);
  if (path.empty()) return nullptr;
  return std::make_unique<TextKeeper>(path, std::move(qualifier), std::move(say));
}

TextKeeper::~TextKeeper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TextKeeper::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  through_.store(sequence, std::memory_order_relaxed);
  if (event.row == 0 || event.reply_code == 0) return;
  const std::lock_guard lock(mutex_);
  auto found = waiting_.find(event.row);
  if (found == waiting_.end()) {
    if (waiting_.size() >= kMostWaiting) return;
    Seen seen;
    seen.stage = event.stage;
    seen.mx_host = event.mx_host;
    const size_t at = event.recipient.rfind('@');
    if (at != std::string::npos) seen.domain = event.recipient.substr(at + 1);
    // The text is all that is kept: a bare name of a person is none of it.
    seen.text = std::to_string(event.reply_code) + ' ' +
                bounce::without_bare_name(event.reply, bounce::local_part_of(event.recipient));
    seen.source = event.source;
    found = waiting_.emplace(event.row, std::move(seen)).first;
  }
  Seen& seen = found->second;
  seen.at = event.time;
  const auto same = [&event](const auto& site) { return site.first == event.site; };
  const auto site = std::ranges::find_if(seen.sites, same);
  if (site != seen.sites.end()) {
    ++site->second;
  } else if (seen.sites.size() < kMostSites) {
    seen.sites.emplace_back(event.site, 1);
  } else {
    ++seen.sites.back().second;
  }
}

void TextKeeper::use(std::shared_ptr<const bounce::Qualifier> qualifier) {
  const std::lock_guard lock(mutex_);
  qualifier_ = std::move(qualifier);
}

void TextKeeper::flush() {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++asked_;
  wake_.notify_one();
  written_.wait(lock, [&] { return done_ >= mine; });
}

void TextKeeper::run() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    wake_.wait_for(lock, kPeriod, [this] { return ending_ || asked_ > done_; });
    last = ending_;
    const uint64_t asked = asked_;
    Waiting waiting;
    waiting.swap(waiting_);
    const std::shared_ptr<const bounce::Qualifier> qualifier = qualifier_;
    lock.unlock();
    if (!waiting.empty()) write(waiting, *qualifier);
    lock.lock();
    done_ = asked;
    written_.notify_all();
  }
}

void TextKeeper::write(const Waiting& waiting, const bounce::Qualifier& qualifier) {
  const conf::Status status = change_text_table(path_, [&](bounce::QualificationTable* table) {
    for (const auto& [row, seen] : waiting) {
      const bounce::Reply reply = bounce::read_diagnostic(seen.text);
      const bounce::Qualification meaning =
          qualifier.qualify({seen.stage, &reply, seen.mx_host, seen.domain, seen.source});
      for (const auto& [site, count] : seen.sites)
        table->note(seen.text, reply, site, meaning, seen.at, count);
    }
  });
  if (!status.ok() && !failing_)
    say_("the texts of refusals are not counted for now: " + status.error().detail);
  failing_ = !status.ok();
}

}  // namespace relay
