#include "relay/admin/admin_server.h"

#include <microhttpd.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "conf/standard_error.h"
#include "relay/admin/admin_api.h"
#include "relay/admin/unix_socket.h"

namespace relay::admin {
namespace {

constexpr size_t kMaxBody = 4 * 1024 * 1024;  // some 250,000 message ids
constexpr unsigned kMoreConnections = 16;     // for those that come while others are put off
constexpr unsigned kIdleSeconds = 5;          // who connects and says nothing holds a place so long
constexpr unsigned kThreads = 4;              // long scans and slow DNS leave one for health and metrics

// What the threads of the server work with.
struct Serving {
  AdminApi* api = nullptr;
  ConnectionWatch* watch = nullptr;
};

// One request while it comes in.
struct Incoming {
  Request request;
  bool too_large = false;
};

MHD_Result take_argument(void* context, MHD_ValueKind, const char* key, const char* value) noexcept {
  static_cast<Incoming*>(context)->request.query[key] = value == nullptr ? "" : value;
  return MHD_YES;
}

MHD_Result send(MHD_Connection* connection, const Response& response) {
  MHD_Response* out = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (out == nullptr) return MHD_NO;
  MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  MHD_add_response_header(out, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(response.status), out);
  MHD_destroy_response(out);
  return queued;
}

int descriptor_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

// Of the one at the other end of the socket, by the kernel: "alice (uid 1000)".
std::string asker(MHD_Connection* connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor_of(connection), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "";
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(peer.uid, &entry, room.data(), room.size(), &found);
  return (found == nullptr ? std::string() : entry.pw_name + std::string(" ")) + "(uid " +
         std::to_string(peer.uid) + ")";
}

// Orders change mail or limits, and whoever reads mail reads what is not for him: standard error says who
// gave each, and who read what. Its path is one of ours, so it forges no line.
void say_order(const Request& request, const Response& response) {
  const bool reads = request.method == MHD_HTTP_METHOD_GET;
  const bool reads_mail = reads && response.status == MHD_HTTP_OK && request.path.ends_with("/content");
  if ((reads && !reads_mail) || response.only_asked || response.status == MHD_HTTP_NOT_FOUND ||
      response.status == MHD_HTTP_METHOD_NOT_ALLOWED)
    return;
  conf::say("order of " + (request.who.empty() ? "somebody" : request.who) + ": " + request.method + ' ' +
            request.path + ": " + std::to_string(response.status));
}

// Called once with the header, then with each piece of the body, then with none: that is when we answer.
MHD_Result take_request(void* serving, MHD_Connection* connection, const char* url, const char* method,
                        const char*, const char* upload, size_t* upload_size, void** slot) noexcept {
  if (*slot == nullptr) {
    auto incoming = std::make_unique<Incoming>();
    incoming->request.method = method;
    incoming->request.path = url;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, incoming.get());
    *slot = incoming.release();
    return MHD_YES;
  }
  auto* incoming = static_cast<Incoming*>(*slot);
  if (*upload_size != 0) {
    incoming->too_large = incoming->too_large || incoming->request.body.size() + *upload_size > kMaxBody;
    if (!incoming->too_large) incoming->request.body.append(upload, *upload_size);
    *upload_size = 0;
    return MHD_YES;
  }
  if (incoming->too_large) {
    return send(connection, {413, "application/json", "{\"error\":\"the body is larger than 4 MiB\"}\n"});
  }
  const auto* at = static_cast<const Serving*>(serving);
  const int descriptor = descriptor_of(connection);
  at->watch->working(descriptor);
  incoming->request.who = asker(connection);
  const Response response = at->api->handle(incoming->request);
  say_order(incoming->request, response);
  at->watch->answering(descriptor);
  return send(connection, response);
}

void forget_request(void* serving, MHD_Connection* connection, void** slot,
                    MHD_RequestTerminationCode) noexcept {
  static_cast<const Serving*>(serving)->watch->answered(descriptor_of(connection));
  delete static_cast<Incoming*>(*slot);
  *slot = nullptr;
}

void see_connection(void* serving, MHD_Connection* connection, void**,
                    MHD_ConnectionNotificationCode what) noexcept {
  ConnectionWatch* watch = static_cast<const Serving*>(serving)->watch;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    watch->opened(descriptor_of(connection));
  } else {
    watch->closed(descriptor_of(connection));
  }
}

}  // namespace

struct AdminServer::State {
  State(spool::Spool* spool, Backend* backend, LoopCall::Post post, ConnectionWatch::Limits limits)
      : api(spool, backend, std::move(post)), watch(limits) {}
  AdminApi api;
  ConnectionWatch watch;
  Serving serving{&api, &watch};
  std::string path;
  struct stat file {};  // the socket file, to know it again
  MHD_Daemon* daemon = nullptr;
};

AdminServer::AdminServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

conf::Result<std::unique_ptr<AdminServer>> AdminServer::open(
    const conf::AdminSettings& settings, spool::Spool* spool, Backend* backend,
    std::function<void(std::function<void()>)> post_to_loop, ConnectionWatch::Limits limits) {
  conf::Result<int> listener = listen_at(settings.socket);
  if (!listener.ok()) return listener.error();
  auto state = std::make_unique<State>(spool, backend, std::move(post_to_loop), limits);
  state->path = settings.socket;
  ::lstat(state->path.c_str(), &state->file);
  state->daemon = MHD_start_daemon(
      MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &take_request,
      &state->serving, MHD_OPTION_LISTEN_SOCKET, listener.value(), MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(limits.places) + kMoreConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
      MHD_OPTION_THREAD_POOL_SIZE, kThreads, MHD_OPTION_NOTIFY_COMPLETED, &forget_request, &state->serving,
      MHD_OPTION_NOTIFY_CONNECTION, &see_connection, &state->serving, MHD_OPTION_END);
  if (state->daemon == nullptr) {
    ::close(listener.value());
    ::unlink(state->path.c_str());
    return conf::Error{conf::ErrorCode::kIo, "cannot start the admin server on " + settings.socket};
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

AdminServer::~AdminServer() {
  state_->api
      .close();  // first: MHD_stop_daemon waits for its threads, which may wait for the loop, which is us
  MHD_stop_daemon(state_->daemon);
  struct stat now {};
  if (::lstat(state_->path.c_str(), &now) == 0 && now.st_ino == state_->file.st_ino &&
      now.st_dev == state_->file.st_dev) {
    ::unlink(state_->path.c_str());
  }
}

}  // namespace relay::admin
