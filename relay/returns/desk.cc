#include "relay/returns/desk.h"

#include <utility>

#include "relay/returns/desk_thread.h"

namespace relay::returns {

namespace {

constexpr size_t kMailsAStep = 64;  // each has kMostOutcomes events at most, and mostly one

// What the envelope said, so that the mail can be read again without it (RFC 5321 §4.4).
std::string envelope_fields(const spool::MessageRecord& record) {
  std::string head = "Return-Path: <" + record.envelope.reverse_path.text() + ">\r\n";
  for (const spool::RecipientRecord& each : record.recipients)
    head += "Delivered-To: " + each.recipient.mailbox.text() + "\r\n";
  return head;
}

}  // namespace

Desk::Desk(Options options, std::unique_ptr<Thread> thread)
    : options_(std::move(options)), thread_(std::move(thread)) {}

Desk::~Desk() = default;

conf::Result<std::unique_ptr<Desk>> Desk::open(Options options) {
  const conf::ReturnsSettings& settings = options.tools->settings;
  std::vector<Maildir> folders;
  conf::Result<Maildir> own = Maildir::open(settings.path, true, settings.unmatched);
  if (!own.ok()) return own.error();
  folders.push_back(std::move(*own));
  for (const std::string& path : settings.watch) {
    conf::Result<Maildir> watched = Maildir::open(path, false, settings.unmatched);
    if (!watched.ok()) return watched.error();
    folders.push_back(std::move(*watched));
  }
  auto thread = std::make_unique<Thread>(options, std::move(folders));
  std::unique_ptr<Desk> desk(new Desk(std::move(options), std::move(thread)));
  desk->thread_->start();
  return desk;
}

void Desk::offer(spool::MessageRecord record, conf::Bytes body, Done done) {
  Thread::Offered offered;
  offered.mail.id = record.id;
  offered.mail.head = envelope_fields(record);
  offered.mail.body = std::move(body);
  offered.done = std::move(done);
  if (thread_->offer(&offered)) {
    ++offered_;
  } else {
    offered.done(conf::Error{conf::ErrorCode::kLimit, "too much returned mail waits to be read"});
  }
}

void Desk::step() {
  answer();
  tell();
  retire();
}

void Desk::answer() {
  for (Thread::Answered& each : thread_->answers()) {
    --offered_;
    each.done(std::move(each.result));
  }
}

void Desk::tell() {
  bool more = false;
  for (Thread::Found& found : thread_->found(kMailsAStep, &more)) {
    Read read;
    read.folder = found.folder;
    read.name = std::move(found.name);
    for (const conf::DeliveryEvent& event : found.events) {
      read.sequence = options_.journal->append(event);
      read.unmatched = read.unmatched || event.kind == conf::EventKind::kUnmatched;
    }
    read_.push_back(std::move(read));
  }
  if (more) options_.wake();
}

void Desk::retire() {
  std::vector<Thread::Finished> finished;
  const uint64_t through = options_.journal->through();
  while (!read_.empty() && read_.front().sequence <= through) {
    Read& front = read_.front();
    finished.push_back({front.folder, std::move(front.name), front.unmatched});
    read_.pop_front();
  }
  if (!finished.empty()) thread_->finish(std::move(finished));
}

void Desk::reload(std::shared_ptr<const ReadingTools> tools) {
  options_.tools = tools;
  thread_->use(std::move(tools));
}

bool Desk::quiet() const { return offered_ == 0; }

}  // namespace relay::returns
