package io.keystile.store.jdbc;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.Serializable;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process of the same class path that holds some state and runs tasks on it, one after the other.
 * It ends when it is closed, and when this process ends in whatever way: then its input does.
 */
final class NodeProcess<S> implements AutoCloseable {
  private static final int SECONDS = 300;

  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final Process process;
  private final Path log;
  private final ObjectOutputStream tasks;
  private final ObjectInputStream answers;

  /** What is sent over: a lambda, and what it captures. */
  interface Task<S, T> extends Serializable {
    T run(S state) throws Exception;
  }

  private record Answer(Object value, String failure) implements Serializable {}

  /**
   * Starts a process.
   *
   * @param state its state, with a constructor without parameters
   */
  NodeProcess(Class<S> state) {
    try {
      log = Files.createTempFile(Path.of("target"), state.getSimpleName(), ".log");
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-XX:+UseSerialGC",
                  "-cp",
                  System.getProperty("java.class.path"),
                  NodeProcess.class.getName(),
                  state.getName())
              .redirectError(log.toFile())
              .start();
      tasks = new ObjectOutputStream(process.getOutputStream());
      tasks.flush();
      answers = new ObjectInputStream(process.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a task there. */
  <T> Future<T> ask(Task<S, T> task) {
    return thread.submit(
        () -> {
          tasks.writeObject(task);
          tasks.flush();
          Answer answer = (Answer) answers.readObject();
          if (answer.failure() != null) {
            throw new AssertionError("in another process: " + answer.failure());
          }
          @SuppressWarnings("unchecked")
          T value = (T) answer.value();
          return value;
        });
  }

  /** Runs a task in each, all at once, and returns what they answered in this order. */
  static <S, T> List<T> askAll(List<NodeProcess<S>> children, Task<S, T> task) throws Exception {
    List<Future<T>> asked = children.stream().map(child -> child.ask(task)).toList();
    List<T> answers = new ArrayList<>();
    for (int i = 0; i < asked.size(); i++) {
      answers.add(children.get(i).await(asked.get(i)));
    }
    return answers;
  }

  /** The answer to a task. */
  <T> T await(Future<T> asked) throws Exception {
    try {
      return asked.get(SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("A child failed, and wrote:\n" + Files.readString(log), e);
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.destroyForcibly().waitFor();
    thread.shutdownNow();
    Files.delete(log);
  }

  /** The other end. */
  public static void main(String[] arguments) throws Exception {
    ObjectOutputStream answers = new ObjectOutputStream(new FileOutputStream(FileDescriptor.out));
    answers.flush();
    System.setOut(System.err);
    BlockingQueue<Task<Object, ?>> tasks = new LinkedBlockingQueue<>();
    new Thread(() -> read(tasks)).start();
    var constructor = Class.forName(arguments[0]).getDeclaredConstructor();
    Object state = constructor.newInstance();
    while (true) {
      answers.writeObject(answer(tasks.take(), state));
      answers.flush();
    }
  }

  /** Whatever this process is at, it ends with its parent. */
  @SuppressWarnings("unchecked")
  private static void read(BlockingQueue<Task<Object, ?>> tasks) {
    try (ObjectInputStream in = new ObjectInputStream(System.in)) {
      while (true) {
        tasks.add((Task<Object, ?>) in.readObject());
      }
    } catch (IOException | ClassNotFoundException | RuntimeException e) {
      e.printStackTrace();
    } finally {
      Runtime.getRuntime().halt(1);
    }
  }

  private static Answer answer(Task<Object, ?> task, Object state) {
    try {
      return new Answer(task.run(state), null);
    } catch (Throwable e) {
      StringWriter text = new StringWriter();
      e.printStackTrace(new PrintWriter(text));
      return new Answer(null, text.toString());
    }
  }
}
