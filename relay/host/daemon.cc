#include "relay/host/daemon.h"

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "conf/config_words.h"
#include "conf/disk_call.h"
#include "conf/standard_error.h"
#include "mx/dns/dns_cache.h"
#include "relay/admin/admin_server.h"
#include "relay/desk/decision_notices.h"
#include "relay/desk/desk.h"
#include "relay/host/converter_thread.h"
#include "relay/host/doors.h"
#include "relay/host/fresh_settings.h"
#include "relay/host/held_signals.h"
#include "relay/host/login_secrets.h"
#include "relay/host/own_addresses.h"
#include "relay/host/page_return.h"
#include "relay/host/privileges.h"
#include "relay/host/quarantine.h"
#include "relay/host/restart_needed.h"
#include "relay/host/returned_mail.h"
#include "relay/host/sd_notify.h"
#include "relay/host/settings_reader.h"
#include "relay/host/signing_keys.h"
#include "relay/host/source_addresses.h"
#include "relay/host/spool_reading.h"
#include "relay/host/text_keeper.h"
#include "relay/host/tls_setup.h"
#include "relay/intake/authenticator.h"
#include "relay/intake/reception.h"
#include "relay/journal/events.h"
#include "relay/journal/journal.h"
#include "relay/journal/metrics.h"
#include "relay/log/delivery_log.h"
#include "relay/spool/rocks_spool.h"
#include "relay/uv/cares_transport.h"
#include "relay/uv/loop.h"
#include "relay/uv/network.h"
#include "relay/uv/program.h"
#include "relay/walk/transit.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

using conf::say;
constexpr conf::Duration kShutdownTick = 50ms;

uint64_t fresh_seed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

// Members are in the order of their making; they go in the opposite order.
class Daemon {
 public:
  explicit Daemon(FreshSettings first)
      : config_(first.read.config),
        words_(std::move(first.words)),
        files_(std::move(first.files)),
        book_(std::move(first.read.book)),
        qualifier_(std::move(first.read.qualifier)),
        first_(std::move(first)),
        random_(fresh_seed()) {}
  ~Daemon();

  conf::Status start();
  int run();

 private:
  void tell_of_refusal(const conf::DoorEvent& refusal);
  void accepted_at(const std::string& place, Accepted accepted);
  conf::Status open_transit();
  TransitParts transit_parts();
  void connect_signals();
  void round();
  admin::ReloadDone reload(FreshSettings fresh);
  admin::ReloadDone refuse_reload(admin::ReloadDone done, const std::string& why);
  void begin_shutdown();

  conf::ConfigPtr config_;
  conf::ConfigWords words_;  // of the file as it was read last, right or wrong
  SideFiles files_;
  mx::RuleBookPtr book_;
  std::shared_ptr<const bounce::Qualifier> qualifier_;
  FreshSettings first_;  // of the start, until they are in use
  conf::SystemClock clock_;
  conf::Random random_;
  std::unique_ptr<uv::Loop> loop_;
  TlsContexts tls_;
  std::unique_ptr<log::DeliveryLog> log_;
  journal::Metrics metrics_;
  DecisionNotices notices_{&clock_, say};
  std::unique_ptr<TextKeeper> texts_;  // null: no table of texts is kept
  journal::Journal journal_;           // of the feeds above
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<mx::DnsTransport> dns_transport_;
  std::unique_ptr<mx::DnsCache> dns_cache_;
  std::unique_ptr<uv::TcpNetwork> network_;
  std::unique_ptr<LoginSecrets> secrets_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<SigningKeys> signing_;
  std::unique_ptr<ConverterThread> converter_;
  std::unique_ptr<ReturnedMail> returned_;
  std::unique_ptr<Quarantine> quarantine_;
  std::unique_ptr<Transit> transit_;
  std::unique_ptr<Reception> reception_;
  std::unique_ptr<Desk> desk_;
  SdSockets inherited_;
  std::unique_ptr<Doors> doors_;
  std::unique_ptr<admin::AdminServer> admin_;
  std::unique_ptr<SettingsReader> reader_;
  bool stopping_ = false;
  conf::Instant give_up_at_ = conf::kNever;
};

Daemon::~Daemon() {
  admin_.reset();
  doors_.reset();
}

// The name and the rules of a listener may change with a reload; its place is what it is known by.
void Daemon::accepted_at(const std::string& place, Accepted accepted) {
  if (reception_ == nullptr) return;
  for (const conf::Listener& listener : config_->listeners) {
    if (place_text(listener.address, listener.port) != place) continue;
    reception_->accept(listener.name, tls_.server != nullptr, std::move(accepted));
    return;
  }
}

// Into the delivery log, and as a line that fail2ban can read (docs/operations.md has the pattern).
void Daemon::tell_of_refusal(const conf::DoorEvent& refusal) {
  journal_.append(journal::refused_client(refusal, clock_.wall()));
  say(door_line(refusal));
}

TransitParts Daemon::transit_parts() {
  TransitParts parts;
  parts.config = config_;
  parts.book = book_;
  parts.qualifier = qualifier_;
  parts.spool = spool_.get();
  parts.journal = &journal_;
  parts.resolver = dns_cache_.get();
  parts.network = network_.get();
  parts.secrets = secrets_.get();
  parts.signer = signing_->queue();
  parts.converter = converter_.get();
  parts.return_paths = returned_->paths();
  quarantine_->join(&parts);
  parts.clock = &clock_;
  parts.random = &random_;
  parts.boot = spool::system_boot();
  parts.own_addresses = own_addresses(config_->listeners);
  return parts;
}

conf::Status Daemon::open_transit() {
  auto log = log::DeliveryLog::open(config_->log);
  if (!log.ok()) return log.error();
  log_ = std::move(*log);
  journal_.add(log_.get());
  journal_.add(&metrics_);
  journal_.add(&notices_);
  texts_ = TextKeeper::make(*config_, qualifier_, say);
  if (texts_ != nullptr) journal_.add(texts_.get());
  auto spool = spool::RocksSpool::open(config_->spool);
  if (!spool.ok()) return spool.error();
  spool_ = std::move(*spool);
  if (config_->spool.durability == conf::Durability::kRelaxed) {
    say("warning: spool.durability = \"relaxed\": a power cut or a crash of the machine may lose accepted "
        "mail");
  }
  warn_of_other_machines(*config_, say);
  auto dns = uv::CaresTransport::open(loop_.get(), config_->dns);
  if (!dns.ok()) return dns.error();
  dns_transport_ = std::move(*dns);
  dns_cache_ = std::make_unique<mx::DnsCache>(config_->dns, dns_transport_.get(), &clock_);
  network_ = std::make_unique<uv::TcpNetwork>(loop_.get(), tls_.client);
  warn_of_few_descriptors(config_->max_outbound_connections, network_->most_connections());
  const auto post = [this](std::function<void()> work) { loop_->post(std::move(work)); };
  authenticator_ = std::make_unique<Authenticator>(&clock_, post);
  converter_ = std::make_unique<ConverterThread>([this] { loop_->post([] {}); });
  signing_ = std::make_unique<SigningKeys>([this] { loop_->post([] {}); }, say);
  signing_->use(std::move(first_.keys), config_->dkim, dns_cache_.get(), clock_.now());
  returned_->use(config_, qualifier_, std::move(first_.return_keys));
  auto quarantine = Quarantine::open({&journal_, &clock_, [this] { loop_->post([] {}); }, say}, config_);
  if (!quarantine.ok()) return quarantine.error();
  quarantine_ = std::move(*quarantine);
  transit_ = std::make_unique<Transit>(transit_parts());
  spool_->on_completions_ready([this] { loop_->post([] {}); });
  log_->on_written([this] { loop_->post([] {}); });
  const conf::Status recovered = read_spool(transit_.get(), clock_, say);
  if (!recovered.ok()) return recovered;
  reception_ = std::make_unique<Reception>(
      config_, transit_.get(), &clock_,
      [this](conf::ConfigPtr config, const std::string& client, const std::string& user, conf::Secret secret,
             Reception::AuthDone done) {
        authenticator_->check(std::move(config), client, user, std::move(secret), std::move(done));
      },
      [this](const conf::DoorEvent& event) { tell_of_refusal(event); });
  reception_->on_recipient(quarantine_->door());
  desk_ = std::make_unique<Desk>(
      Desk::Parts{transit_.get(), spool_.get(), &journal_, &metrics_,
                  [this] { return reception_->connections(); }, [this] { return log_->counters().lost; },
                  [this] { return reception_->book().counts(); }, [this] { return quarantine_->gauges(); },
                  [this](Desk::ReloadHeard done) { reader_->ask(std::move(done)); },
                  [this](const conf::Mailbox& address) { return quarantine_->barred(address); }});
  auto admin = admin::AdminServer::open(config_->admin, spool_.get(), desk_.get(), post);
  if (!admin.ok()) return admin.error();
  admin_ = std::move(*admin);
  return returned_->open(reception_.get(), secrets_.get());
}

conf::Status Daemon::start() {
  raise_descriptor_limit();
  loop_ = std::make_unique<uv::Loop>();
  if (config_->intake.descriptors_kept > 0) loop_->keep_descriptors(config_->intake.descriptors_kept);
  // What needs root comes first: the files are read by now, the ports follow.
  tls_ = std::move(first_.tls);
  secrets_ = std::make_unique<LoginSecrets>(
      &clock_, [this](const std::vector<std::string>& command, conf::Duration timeout, Secrets::Done done) {
        uv::run_program(loop_.get(), command, timeout, std::move(done));
      });
  secrets_->use(std::move(first_.secrets));
  doors_ = std::make_unique<Doors>(
      loop_.get(), &inherited_,
      [this](const std::string& place, Accepted accepted) { accepted_at(place, std::move(accepted)); });
  conf::Status status = doors_->prepare(*config_, tls_.server);
  if (!status.ok()) return status;
  doors_->adopt(*config_, tls_.server);
  for (const std::string& place : inherited_.never_taken()) {
    say("warning: the service manager listens on " + place +
        " for us, and no [[listener]] has this address: whoever "
        "connects there waits in vain; take it out of penstock.socket");
  }
  returned_ = std::make_unique<ReturnedMail>(
      &clock_, &journal_, [this] { loop_->post([] {}); }, say);
  if (status = prepare_directories(*config_); !status.ok()) return status;
  if (status = drop_privileges(config_->run_as); !status.ok()) return status;
  return_pages_beside();
  forbid_dumps();
  reader_ = std::make_unique<SettingsReader>(
      SettingsReader::Parts{[path = config_->file] { return read_and_tell(path); },
                            [this](std::function<void()> work) { loop_->post(std::move(work)); },
                            [this] {
                              if (!stopping_) notify_reloading();
                            },
                            [this](FreshSettings fresh) { return reload(std::move(fresh)); }});
  status = open_transit();
  if (!status.ok()) return status;
  first_ = {};
  connect_signals();
  return conf::success();
}

void Daemon::connect_signals() {
  loop_->on_signal(SIGTERM, [this] { begin_shutdown(); });
  loop_->on_signal(SIGINT, [this] { begin_shutdown(); });
  loop_->on_signal(SIGHUP, [this] { reader_->ask([](const admin::ReloadDone&) {}); });
  loop_->on_signal(SIGUSR1, [this] { log_->reopen(); });
  loop_->on_round([this] { round(); });
  loop_->on_timer([](conf::Instant) {});  // the round that follows does the work
}

void Daemon::round() {
  const conf::Instant now = clock_.now();
  quarantine_->step(now);
  transit_->step(now);
  reception_->step();
  returned_->step();
  signing_->step(now);
  desk_->step(now);
  conf::Instant wake =
      std::min({transit_->next_wake(), signing_->next_wake(), reception_->next_wake(), desk_->next_wake()});
  if (stopping_) {
    if ((transit_->quiet() && reception_->connections() == 0 && returned_->quiet()) || now >= give_up_at_) {
      loop_->stop();
      return;
    }
    wake = std::min(wake, now + kShutdownTick);
  }
  loop_->set_timer(wake);
}

int Daemon::run() {
  for (const conf::Listener& listener : config_->listeners) {
    say("listening on " + place_text(listener.address, listener.port) +
        (listener.implicit_tls ? " (implicit TLS)" : ""));
  }
  if (std::string why; !transit_->accepting(&why)) say("warning: no mail is taken for now: " + why);
  notify_ready("serving");
  const conf::StandardErrorWriter lines;  // privileges are dropped: its thread has none either
  const conf::DiskWatcher watcher;
  loop_->post([] {});
  loop_->run();
  notify_stopping("writing down the queue");
  doors_->close();
  admin_.reset();
  reception_->abandon();
  reception_->step();
  transit_->close();
  say("ended in order");
  return 0;
}

void Daemon::begin_shutdown() {
  if (stopping_) {
    give_up_at_ = clock_.now();  // asked twice: at once
    return;
  }
  stopping_ = true;
  give_up_at_ = clock_.now() + config_->shutdown_deadline;
  say("going down: no new connections; sessions have " +
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(config_->shutdown_deadline).count()) +
      " s to end");
  notify_stopping("finishing sessions");
  doors_->close();
  transit_->stop();
  reception_->shut_down();
}

admin::ReloadDone Daemon::refuse_reload(admin::ReloadDone done, const std::string& why) {
  say("reload refused, the old configuration goes on: " + why);
  notify_ready("serving; the last reload was refused");
  done.refused = why;
  return done;
}

// A bad configuration changes nothing. Listeners that stay are kept with their connections.
admin::ReloadDone Daemon::reload(FreshSettings fresh) {
  admin::ReloadDone done;
  done.file = config_->file;
  if (stopping_) {
    done.refused = "the relay is going down";
    return done;
  }
  for (const conf::Problem& problem : fresh.read.problems) done.problems.push_back(problem.text());
  if (!fresh.refused.empty()) return refuse_reload(std::move(done), fresh.refused);
  const conf::Config& read = *fresh.read.config;
  const conf::Status status = doors_->prepare(read, fresh.tls.server);
  if (!status.ok()) return refuse_reload(std::move(done), status.error().detail);
  done.changes = words_.changes_to(fresh.words);
  for (std::string& change : files_.changes_to(fresh.files)) done.changes.push_back(std::move(change));
  done.waiting = restart_needed(*config_, read);
  words_ = std::move(fresh.words);
  files_ = std::move(fresh.files);
  if (!done.waiting.empty()) say("reload: changed, and waits for a restart: " + done.waiting);
  config_ = std::make_shared<const conf::Config>(until_restart(*config_, read));
  book_ = std::move(fresh.read.book);
  qualifier_ = std::move(fresh.read.qualifier);
  returned_->use(config_, qualifier_, std::move(fresh.return_keys));
  tls_ = std::move(fresh.tls);
  secrets_->use(std::move(fresh.secrets));
  network_->set_client_tls(tls_.client);
  signing_->use(std::move(fresh.keys), config_->dkim, dns_cache_.get(), clock_.now());
  quarantine_->reload(config_);
  reception_->reload(config_);
  transit_->routes().use_own_addresses(own_addresses(config_->listeners));
  transit_->reload(config_, book_);
  transit_->use(qualifier_);
  if (texts_ != nullptr) texts_->use(qualifier_);
  doors_->adopt(*config_, tls_.server);
  say("configuration read again from " + config_->file + "; changes: " + std::to_string(done.changes.size()));
  notify_ready("serving");
  return done;
}

}  // namespace

int run_daemon(const std::string& config_path) {
  std::signal(SIGPIPE, SIG_IGN);
  HeldSignals held;
  FreshSettings first = read_and_tell(config_path);
  if (first.read.config == nullptr) return 2;
  if (!first.refused.empty()) {  // keys, say; a start again does not make them right
    say("cannot start: " + first.refused);
    return 2;
  }
  Daemon daemon(std::move(first));
  const conf::Status started = daemon.start();
  if (!started.ok()) {
    say("cannot start: " + started.error().detail);
    return 1;
  }
  held.let_go();
  return daemon.run();
}

}  // namespace relay
