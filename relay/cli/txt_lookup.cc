#include "relay/cli/txt_lookup.h"

#include "conf/config.h"
#include "mx/dns/dns_cache.h"
#include "relay/uv/cares_transport.h"
#include "relay/uv/loop.h"

namespace relay {

conf::Result<std::vector<std::string>> look_up_txt(const std::string& name,
                                                   const std::vector<std::string>& servers) {
  conf::DnsSettings settings;
  settings.tries = 2;
  settings.servers = servers;
  uv::Loop loop;
  auto transport = uv::CaresTransport::open(&loop, settings);
  if (!transport.ok()) return transport.error();
  const conf::SystemClock clock;
  mx::DnsCache cache(settings, transport.value().get(), &clock);
  mx::DnsAnswerPtr answer;
  cache.query(name, mx::RecordType::kTxt, [&answer, &loop](mx::DnsAnswerPtr got) {
    answer = std::move(got);
    loop.stop();
  });
  if (answer == nullptr) loop.run();
  switch (answer->status) {
    case mx::DnsStatus::kOk:
      return answer->texts;
    case mx::DnsStatus::kNoData:
    case mx::DnsStatus::kNoName:
      return conf::Error{conf::ErrorCode::kNotFound, "there is no TXT record at " + name};
    case mx::DnsStatus::kFailed:
    case mx::DnsStatus::kTimeout:
      break;
  }
  return conf::Error{conf::ErrorCode::kUnavailable,
                     "the name system gives no answer for " + name + ": " + answer->detail};
}

}  // namespace relay
