using System.Diagnostics;
using System.Globalization;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Training;

/// <summary>Same seed, same bits.</summary>
internal sealed class ReproducibilityTests
{
    [Test]
    public void WeightsAfter200StepsHaveOneHashOverFiveProcessesAndOverOneAndTwoThreads()
    {
        (int Threads, Process Process)[] runs = [.. new[] { 1, 2, 1, 2, 1 }.Select(threads => (threads, Start(200, threads)))];
        string[] hashes = [.. runs.Select(run => HashOf(run.Process))];

        Assert.That(hashes, Is.All.Match("^[0-9A-F]{64}$"));
        Assert.That(hashes.Distinct().Count(), Is.EqualTo(1), string.Join('\n', runs.Zip(hashes, (r, h) => $"{r.Threads} threads: {h}")));
        Assert.That(hashes[0], Is.Not.EqualTo(HashOf(Start(199, 1))), "a step changes the hash");
    }

    [Test]
    public void TwentyStepsAreTenThenSaveRestoreAndTenMoreBitForBit()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "after-ten.safetensors");
        using var whole = new SmallTraining(threads: 2);
        whole.Run(20);

        using var first = new SmallTraining(threads: 2);
        first.Run(10);
        first.Saver.Save(path);
        string afterTen = first.Hash();
        using var second = new SmallTraining(threads: 1);
        second.Saver.Restore(path);

        Assert.That(second.Hash(), Is.EqualTo(afterTen), "what was restored is what was saved");
        second.Run(10);
        Assert.That(second.Hash(), Is.EqualTo(whole.Hash()));
        Assert.That(second.Hash(), Is.Not.EqualTo(afterTen), "steps change the hash");
    }

    private static Process Start(int steps, int threads) => Process.Start(new ProcessStartInfo(
        Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
    {
        ArgumentList =
        {
            typeof(SmallTraining).Assembly.Location, SmallTraining.Command, steps.ToString(CultureInfo.InvariantCulture),
            threads.ToString(CultureInfo.InvariantCulture),
        },
        RedirectStandardOutput = true,
        UseShellExecute = false,
    })!;

    private static string HashOf(Process process)
    {
        using (process)
        {
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output.Trim();
        }
    }
}
