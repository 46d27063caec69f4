#include "relay/uv/program.h"

#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#include "relay/uv/loop_state.h"

namespace relay::uv {

namespace {

constexpr size_t kMostOutput = 64 * 1024;

// Lives until libuv has closed its three handles.
struct Program {
  uv_process_t process{};
  uv_pipe_t output{};
  uv_timer_t timer{};
  Loop::State* loop = nullptr;
  std::function<void(conf::Result<std::string>)> done;
  std::string text;
  char buffer[4096] = {};
  std::string why;  // it failed
  bool exited = false, at_end = false;
  int handles = 0;

  void kill_for(const char* reason) {
    if (why.empty()) why = reason;
    uv_process_kill(&process, SIGKILL);
  }
  void close(uv_handle_t* handle) {
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) {
      auto* program = static_cast<Program*>(closed->data);
      if (--program->handles == 0) delete program;
    });
  }
  void finish_if_over() {
    if (!exited || !at_end) return;
    close(reinterpret_cast<uv_handle_t*>(&process));
    close(reinterpret_cast<uv_handle_t*>(&output));
    close(reinterpret_cast<uv_handle_t*>(&timer));
    loop->stirred = true;
    if (!done) return;
    const auto tell = std::exchange(done, nullptr);
    if (why.empty()) {
      tell(std::move(text));
    } else {
      tell(conf::Error{conf::ErrorCode::kUnavailable, why});
    }
    explicit_bzero(buffer, sizeof buffer);
    explicit_bzero(text.data(), text.size());
  }

  static Program* of(void* handle) { return static_cast<Program*>(static_cast<uv_handle_t*>(handle)->data); }
  static void on_exit(uv_process_t* handle, int64_t status, int signal) {
    Program* program = of(handle);
    program->exited = true;
    if (program->why.empty() && signal != 0) program->why = "ended by signal " + std::to_string(signal);
    if (program->why.empty() && status != 0) program->why = "ended with status " + std::to_string(status);
    program->finish_if_over();
  }
  static void on_read(uv_stream_t* handle, ssize_t got, const uv_buf_t* read) {
    Program* program = of(handle);
    if (got < 0) {
      program->at_end = true;
      program->finish_if_over();
      return;
    }
    program->text.append(read->base, static_cast<size_t>(got));
    if (program->text.size() > kMostOutput) program->kill_for("printed more than 64 KB");
  }
  static void on_timer(uv_timer_t* handle) {
    Program* program = of(handle);
    program->kill_for("did not end in time");
    // Somebody it started may hold the pipe open.
    program->at_end = true;
    program->finish_if_over();
  }
};

}  // namespace

void run_program(Loop* loop, const std::vector<std::string>& command, conf::Duration timeout,
                 std::function<void(conf::Result<std::string>)> done) {
  auto* program = new Program;
  program->loop = loop->state();
  program->done = std::move(done);
  uv_loop_t* uv = &program->loop->uv;
  uv_pipe_init(uv, &program->output, 0);
  uv_timer_init(uv, &program->timer);
  program->process.data = program->output.data = program->timer.data = program;
  program->handles = 3;
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, nullptr};
  uv_stdio_container_t streams[3] = {};
  streams[0].flags = UV_IGNORE;
  streams[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  streams[1].data.stream = reinterpret_cast<uv_stream_t*>(&program->output);
  streams[2].flags = UV_INHERIT_FD;
  streams[2].data.fd = 2;
  uv_process_options_t options{};
  options.file = arguments.front();
  options.args = arguments.data();
  options.env = environment;
  options.exit_cb = Program::on_exit;
  options.stdio = streams;
  options.stdio_count = 3;
  const int started = uv_spawn(uv, &program->process, &options);
  if (started != 0) {
    program->why = std::string("cannot be started: ") + uv_strerror(started);
    program->exited = program->at_end = true;
    program->finish_if_over();
    return;
  }
  uv_timer_start(&program->timer, Program::on_timer, static_cast<uint64_t>(timeout.count() / 1000 + 1), 0);
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(&program->output),
      [](uv_handle_t* handle, size_t, uv_buf_t* into) {
        Program* owner = Program::of(handle);
        *into = uv_buf_init(owner->buffer, sizeof owner->buffer);
      },
      Program::on_read);
}

}  // namespace relay::uv
