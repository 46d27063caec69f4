#include "relay/returns/sent_keeper.h"

#include <utility>

#include "conf/vocab/address.h"
#include "relay/returns/folder.h"

namespace relay::returns {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kMostWaiting = 100'000;  // some 40 MB; about ten seconds of the fastest relay
constexpr size_t kForgottenAtOnce = 20'000;
constexpr auto kBetweenWrites = 1s;
constexpr conf::Duration kComplainEvery = 1min;

// Of the token that mail of this sender leaves with; kOff: it leaves with none.
conf::VerpGrade grade_of(const conf::ReturnsSettings& settings, const std::string& reverse_path) {
  const conf::Result<conf::Mailbox> sender = conf::Mailbox::parse(reverse_path);
  const conf::ReturnPathSettings* path = sender.ok() ? settings.path_for(sender.value()) : nullptr;
  return path == nullptr ? conf::VerpGrade::kOff : path->verp;
}

// Lists of senders or users: a report does not say whose mail it is about.
bool has_lists_of_tenants(const conf::QuarantineSettings& quarantine) {
  return quarantine.enabled && quarantine.lists != conf::QuarantineLists::kGlobal;
}

// The token of a domain says nothing of the recipient: reports that bring it back are told by what was sent.
// Others say the message and the recipient; only what is remembered says more of them.
bool is_wanted(const conf::Config& config, conf::VerpGrade grade) {
  if (grade == conf::VerpGrade::kDomain || has_lists_of_tenants(config.quarantine)) return true;
  if (config.returns.unsigned_reports != conf::UnsignedReports::kOff) return true;
  return grade != conf::VerpGrade::kOff && config.returns.remember_signed;
}

}  // namespace

conf::Result<std::unique_ptr<SentKeeper>> SentKeeper::open(Options options) {
  const std::string& path = options.config->returns.path;
  const conf::Status made = make_folder(path);
  if (!made.ok()) return made.error();
  std::string warning;
  auto file = bounce::SqliteSent::open(path + "/sent.db", options.clock->wall(), &warning);
  if (!file.ok()) return file.error();
  if (!warning.empty()) options.say("returned mail: " + warning);
  return std::unique_ptr<SentKeeper>(new SentKeeper(std::move(options), std::move(*file)));
}

SentKeeper::SentKeeper(Options options, std::unique_ptr<bounce::SqliteSent> file)
    : clock_(options.clock),
      say_(std::move(options.say)),
      file_(std::move(file)),
      config_(std::move(options.config)) {
  thread_ = std::thread([this] { run(); });
}

SentKeeper::~SentKeeper() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SentKeeper::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  through_.store(sequence, std::memory_order_relaxed);
  // Nothing comes back for a report: it has no reverse-path.
  if (event.kind != conf::EventKind::kDelivered || event.reverse_path.empty()) return;
  // Only this thread changes the settings.
  const conf::VerpGrade grade = grade_of(config_->returns, event.reverse_path);
  if (!is_wanted(*config_, grade)) return;
  bounce::SentMail mail;
  mail.with_token = grade != conf::VerpGrade::kOff;
  mail.message = event.id;
  mail.at = event.time;
  mail.recipient = event.recipient;
  mail.sender = event.reverse_path;
  mail.user = event.auth;
  mail.site = event.site;
  mail.source = event.source;
  mail.stream = event.stream;
  mail.envid = event.envid;
  mail.header = event.header;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (waiting_.size() >= kMostWaiting) {
    ++lost_;
  } else {
    waiting_.push_back(std::move(mail));
  }
}

void SentKeeper::reload(conf::ConfigPtr config) {
  const std::lock_guard<std::mutex> lock(mutex_);
  config_ = std::move(config);
}

void SentKeeper::run() {
  for (bool last = false; !last;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait_for(lock, kBetweenWrites, [this] { return ending_; });
      last = ending_;
    }
    const std::lock_guard<std::mutex> lock(file_mutex_);
    write();
    upkeep();
  }
}

void SentKeeper::write() {
  std::vector<bounce::SentMail> mails;
  uint64_t lost = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    mails.swap(waiting_);
    lost = std::exchange(lost_, 0);
  }
  std::string why = "the disk is too slow";
  if (!mails.empty()) {
    const conf::Status status = file_->add(mails);
    if (!status.ok()) {
      lost += mails.size();
      why = status.error().detail;
    }
  }
  const conf::Instant now = clock_->now();
  if (lost == 0 || (complained_ != conf::Instant{} && now - complained_ < kComplainEvery)) return;
  complained_ = now;
  say_("returned mail: " + std::to_string(lost) + " recipients that mail was sent to are not remembered (" +
       why + "); reports about them are matched by the token of a recipient only");
}

void SentKeeper::upkeep() {
  conf::Duration life{};
  uint64_t most = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    life = config_->returns.life;
    most = config_->returns.remembered;
  }
  // What cannot be forgotten now is forgotten a second later.
  (void)file_->forget(clock_->wall() - life, most, kForgottenAtOnce);
}

std::optional<bounce::SentMail> SentKeeper::find(uint64_t message, std::string_view recipient) {
  const std::lock_guard<std::mutex> lock(file_mutex_);
  write();
  return file_->find(message, recipient);
}

std::optional<bounce::SentMail> SentKeeper::of_message(uint64_t message) {
  const std::lock_guard<std::mutex> lock(file_mutex_);
  write();
  return file_->of_message(message);
}

std::optional<bounce::SentMail> SentKeeper::fitting(uint64_t message, const Fits& fits) {
  const std::lock_guard<std::mutex> lock(file_mutex_);
  write();
  return file_->fitting(message, fits);
}

std::optional<bounce::SentMail> SentKeeper::with_id(std::string_view message_id, std::string_view recipient,
                                                    conf::WallTime after) {
  const std::lock_guard<std::mutex> lock(file_mutex_);
  write();
  return file_->with_id(message_id, recipient, after);
}

std::optional<bounce::SentMail> SentKeeper::with_id(std::string_view message_id, conf::WallTime after,
                                                    bool* alone) {
  const std::lock_guard<std::mutex> lock(file_mutex_);
  write();
  return file_->with_id(message_id, after, alone);
}

std::optional<bounce::SentMail> SentKeeper::latest_to(std::string_view recipient, conf::WallTime after) {
  const std::lock_guard<std::mutex> lock(file_mutex_);
  write();
  return file_->latest_to(recipient, after);
}

}  // namespace relay::returns
