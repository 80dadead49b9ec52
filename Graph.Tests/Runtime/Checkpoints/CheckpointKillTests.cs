using System.Diagnostics;
using System.Globalization;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Checkpoints;

/// <summary>A process that is killed while it saves leaves the old checkpoint or the new one, whole.</summary>
internal sealed class CheckpointKillTests
{
    private const int PatienceInTenths = 1200;

    [Test]
    public void KillsAtRandomMomentsLeaveAWholeCheckpoint() => KillOften(40, 1);

    [Test]
    [Explicit("minutes")]
    [Category("Large")]
    public void FiveHundredKillsAtRandomMomentsLeaveAWholeCheckpoint() => KillOften(500, 2);

    private static void KillOften(int kills, int seed)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(seed);
        int whileSaving = 0;
        int newOnes = 0;
        long reached = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            (long begun, long done) = KillDuringSaves(folder.Path, random.NextDouble());
            whileSaving += begun > done ? 1 : 0;

            using var state = new TrainingState(CheckpointWriter.Elements);
            RestoredCheckpoint? restored = new CheckpointFolder(folder.Path).RestoreLatest(state.Saver);

            string about = $"kill {kill} of seed {seed}: begun {begun}, done {done}, there {restored?.Step}";
            long there = restored?.Step ?? 0;
            Assert.That(there, Is.GreaterThanOrEqualTo(Math.Max(done, reached)), about);
            Assert.That(there, Is.LessThanOrEqualTo(Math.Max(begun, reached)), about);
            Assert.That(restored?.Damaged ?? [], Is.Empty, about);
            if (restored is not null)
            {
                Assert.That(state.Step(), Is.EqualTo(there), about);
            }
            newOnes += there == begun && begun > done ? 1 : 0;
            reached = there;
        }
        TestContext.Out.WriteLine($"{kills} kills, {whileSaving} of them during a save, of which {newOnes} left the new checkpoint");
        Assert.That(whileSaving, Is.GreaterThan(kills / 10), "the kills did not fall into saves");
        // Two checkpoints, the list, and what the last process left: a third one, or one that was being written, of each.
        Assert.That(
            Directory.GetFiles(folder.Path, "checkpoint*").Length, Is.LessThanOrEqualTo(6), "what dead processes left is cleared away");
    }

    // Starts a writer, kills it after its first save, and gives the last step it began and the last it finished. The first save
    // is slow because its code is compiled; a part of its time after it, the writer is at any place of its second or third.
    private static (long Begun, long Done) KillDuringSaves(string folder, double part)
    {
        bool isHosted = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        var start = new ProcessStartInfo(isHosted ? Environment.ProcessPath! : "dotnet")
        {
            ArgumentList = { typeof(CheckpointWriter).Assembly.Location, CheckpointWriter.Command, folder },
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start)!;
        long begun = 0;
        long done = 0;
        Task? rest = null;
        try
        {
            Note(Line(process));
            Stopwatch watch = Stopwatch.StartNew();
            Note(Line(process));
            TimeSpan delay = part * watch.Elapsed;
            watch.Restart();
            rest = Task.Run(() =>
            {
                while (process.StandardOutput.ReadLine() is { } line)
                {
                    Note(line);
                }
            });
            while (watch.Elapsed < delay)
            {
                Thread.Sleep(0); // more exact than sleeping
            }
        }
        finally
        {
            process.Kill(); // SIGKILL: the process notices nothing
        }
        process.WaitForExit();
        Wait(rest!, "the writer's output does not end");
        return (begun, done);

        static string? Line(Process process)
        {
            Task<string?> line = process.StandardOutput.ReadLineAsync();
            Wait(line, "the writer does nothing");
            return line.Result;
        }

        // Counted rather than timed: a machine that is paused for minutes is no reason to give up.
        static void Wait(Task task, string problem)
        {
            for (int i = 0; i < PatienceInTenths; i++)
            {
                if (task.Wait(100))
                {
                    return;
                }
            }
            Assert.Fail(problem);
        }

        void Note(string? line)
        {
            Assert.That(line, Is.Not.Null, "the writer ended by itself");
            string[] words = line!.Split(' ');
            long step = long.Parse(words[1], CultureInfo.InvariantCulture);
            (begun, done) = words[0] == "save" ? (step, done) : (begun, step);
        }
    }
}
