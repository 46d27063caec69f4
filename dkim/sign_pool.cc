#include "dkim/sign_pool.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/random.h"
#include "dkim/evp_signer.h"
#include "dkim/opendkim_library.h"
#include "dkim/opendkim_verifier.h"
#include "dkim/record.h"

namespace dkim {

namespace {

using Kind = SignOutcome::Kind;

SignOutcome unsigned_for(Kind kind, std::string why) { return {kind, "", std::move(why), false}; }

using Keys = std::vector<std::shared_ptr<const SigningKey>>;

// Of mail that libopendkim cannot judge: all of it is done once more, from the bytes.
std::string again(std::string_view bytes, const std::string& fields, const Keys& keys, conf::WallTime now) {
  conf::Result<Mail> mail = Mail::parse(bytes);
  if (!mail.ok()) return "the message is not what it was: " + mail.error().detail;
  std::string second;
  for (const auto& key : keys) {
    const conf::Result<std::string> field = EvpSigner().sign(*key, &mail.value(), now);
    if (!field.ok()) return field.error().detail;
    second += field.value();
  }
  return second == fields ? "" : "signed again the message gets another signature";
}

// Empty when libopendkim takes every one of our signatures.
std::string second_opinion(std::string_view bytes, const std::string& fields, const Keys& keys) {
  const OpendkimVerifier verifier([&keys](const std::string& name) -> conf::Result<std::string> {
    for (const auto& key : keys) {
      if (record_name(key->selector, key->domain) == name) return record_text(*key->key);
    }
    return conf::Error{conf::ErrorCode::kNotFound, "not ours"};
  });
  const conf::Result<std::vector<Verdict>> verdicts = verifier.verify(std::string(fields).append(bytes));
  if (!verdicts.ok()) return verdicts.error().detail;
  for (const auto& key : keys) {
    const auto ours = std::ranges::find_if(verdicts.value(), [&key](const Verdict& verdict) {
      return verdict.domain == key->domain && verdict.selector == key->selector;
    });
    if (ours == verdicts.value().end()) return "libopendkim does not see the signature of " + key->selector;
    if (!ours->good) return "the signature of " + key->selector + " does not verify: " + ours->why;
  }
  return "";
}

}  // namespace

SignOutcome sign_mail(std::string_view bytes, const KeyStore& keys, const Signer& signer, conf::WallTime now,
                      bool check) {
  conf::Result<Mail> mail = Mail::parse(bytes);
  if (!mail.ok()) return unsigned_for(Kind::kUnsignable, mail.error().detail);
  const conf::Result<std::string> domain = from_domain(mail->fields());
  if (!domain.ok()) return unsigned_for(Kind::kUnsignable, domain.error().detail);
  const std::vector<std::shared_ptr<const SigningKey>> chosen = keys.keys_for(domain.value());
  if (chosen.empty()) return unsigned_for(Kind::kNoKey, "there is no key for " + domain.value());
  SignOutcome outcome;
  for (const auto& key : chosen) {
    conf::Result<std::string> field = signer.sign(*key, &mail.value(), now);
    if (!field.ok()) {
      const bool its_own_fault = field.error().code == conf::ErrorCode::kLimit;
      return unsigned_for(its_own_fault ? Kind::kUnsignable : Kind::kFailed, field.error().detail);
    }
    outcome.fields += field.value();
  }
  if (check) {
    outcome.detail = reads_rightly(mail->fields()) ? second_opinion(bytes, outcome.fields, chosen)
                                                   : again(bytes, outcome.fields, chosen, now);
    outcome.alarm = !outcome.detail.empty();
    if (outcome.alarm) return outcome;
  }
  outcome.kind = Kind::kSigned;
  return outcome;
}

SignPool::SignPool(std::function<void()> wake) : wake_(std::move(wake)) {}

SignPool::~SignPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  work_there_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void SignPool::use(std::shared_ptr<const KeyStore> keys, const conf::DkimSettings& settings) {
  enabled_ = keys != nullptr && !keys->entries().empty();
  bound_ = settings.queue;
  if (!enabled_) return;
  if (book_ == nullptr || !book_->keys->signs_like(*keys)) ++edition_;
  book_ = std::make_shared<Book>(Book{std::move(keys), make_signer(settings.engine), settings.self_check});
  if (!workers_.empty()) return;
  const size_t count =
      settings.workers != 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
  for (size_t i = 0; i < count; ++i) workers_.emplace_back([this, i] { work(i + 1); });
}

bool SignPool::submit(conf::Bytes mail, Done done) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (tasks_.size() >= bound_) return false;
    tasks_.push_back({std::move(mail), std::move(done), book_});
  }
  work_there_.notify_one();
  return true;
}

size_t SignPool::drain_completions() {
  std::vector<Completion> ready;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready.swap(completions_);
  }
  for (Completion& each : ready) each.done(std::move(each.outcome));
  return ready.size();
}

void SignPool::work(uint64_t seed) {
  conf::Random random(seed);
  const conf::SystemClock clock;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_there_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (ending_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    const Book& book = *task.book;
    SignOutcome outcome = sign_mail(task.mail.view(), *book.keys, *book.signer, clock.wall(),
                                    book.self_check > 0 && random.chance(book.self_check));
    task.mail.reset();
    lock.lock();
    const bool first = completions_.empty();
    completions_.push_back({std::move(outcome), std::move(task.done)});
    if (!first) continue;
    lock.unlock();
    wake_();
    lock.lock();
  }
}

}  // namespace dkim
