// How many signatures a second an engine makes, and whether its memory stays:
//   penstock-sign-bench [--engine evp|opendkim] [--type rsa|ed25519] [--threads N] [--size BYTES] [--seconds
//   S | --count N]
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "dkim/signer.h"

namespace {

struct Options {
  std::string engine = "evp", type = "rsa";
  unsigned threads = 1;
  size_t size = 10'240;
  double seconds = 5;
  uint64_t count = 0;  // above 0: so many signatures instead
};

std::string message(size_t size) {
  std::string text =
      "Received: from app.example.com (app.example.com [192.0.2.1])\r\n\tby relay.example.com with ESMTP id "
      "1;\r\n"
      "\tMon, 2 Nov 2026 10:00:00 +0000\r\nFrom: Shop <shop@example.com>\r\nTo: someone@example.net\r\n"
      "Subject: Your order of today\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: "
      "<1@example.com>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "List-Unsubscribe: <https://example.com/u>\r\nList-Unsubscribe-Post: "
      "List-Unsubscribe=One-Click\r\n\r\n";
  while (text.size() < size) text += "Thank you for your order. It will be sent tomorrow, as you asked.\r\n";
  return text;
}

long resident_kb() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::strtol(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int measure(const Options& options) {
  const auto algorithm =
      options.type == "rsa" ? dkim::Algorithm::kRsaSha256 : dkim::Algorithm::kEd25519Sha256;
  const dkim::SigningKey key{dkim::PrivateKey::generate(algorithm, 2048), "example.com", "bench", {}};
  const auto signer =
      dkim::make_signer(options.engine == "evp" ? conf::DkimEngine::kEvp : conf::DkimEngine::kOpendkim);
  const std::string text = message(options.size);
  using Clock = std::chrono::steady_clock;
  std::atomic<uint64_t> made{0};
  std::atomic<bool> failed{false};
  const auto sign_one = [&] {
    auto mail = dkim::Mail::parse(text);
    failed = failed || !mail.ok() || !signer->sign(key, &mail.value(), conf::SystemClock().wall()).ok();
    return made.fetch_add(1) + 1;
  };
  while (made < 1000) sign_one();  // what is allocated once is there now
  made = 0;
  const long before_kb = resident_kb();
  const double cpu = cpu_seconds();
  const auto began = Clock::now();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.threads; ++i) {
    threads.emplace_back([&] {
      while (!failed) {
        if (options.count > 0
                ? made >= options.count
                : std::chrono::duration<double>(Clock::now() - began).count() >= options.seconds)
          return;
        sign_one();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  const auto count = static_cast<double>(made);
  std::printf(
      "{\"engine\":\"%s\",\"type\":\"%s\",\"threads\":%u,\"bytes\":%zu,\"signatures\":%.0f,\"per_s\":%.0f,"
      "\"cpu_us\":%.1f,\"rss_before_kb\":%ld,\"rss_after_kb\":%ld}\n",
      options.engine.c_str(), options.type.c_str(), options.threads, text.size(), count, count / seconds,
      (cpu_seconds() - cpu) / count * 1e6, before_kb, resident_kb());
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App parser("Measures how fast messages are signed.", "penstock-sign-bench");
  parser.add_option("--engine", options.engine)
      ->check(CLI::IsMember({"evp", "opendkim"}))
      ->capture_default_str();
  parser.add_option("--type", options.type)->check(CLI::IsMember({"rsa", "ed25519"}))->capture_default_str();
  parser.add_option("--threads", options.threads)->check(CLI::Range(1, 256))->capture_default_str();
  parser.add_option("--size", options.size, "bytes of the message")->capture_default_str();
  parser.add_option("--seconds", options.seconds)->capture_default_str();
  parser.add_option("--count", options.count, "so many signatures, however long it takes");
  CLI11_PARSE(parser, argc, argv);
  return measure(options);
}
