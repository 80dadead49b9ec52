using System.Diagnostics;
using Graphene.Runtime;
using Graphene.Runtime.Threads;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class CpuBudgetTests
{
    private string _root = "";

    [SetUp]
    public void CreateRoot() => _root = Directory.CreateTempSubdirectory("graphene-cgroup").FullName;

    [TearDown]
    public void DeleteRoot() => Directory.Delete(_root, recursive: true);

    [Test]
    public void WithoutProcThereIsNoQuota() =>
        Assert.That(CgroupQuota.Read(_root), Is.EqualTo(double.PositiveInfinity));

    [Test]
    public void Version2QuotaIsRead()
    {
        Write("proc/self/cgroup", "0::/pod/box\n");
        Write("proc/self/mountinfo", "35 30 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        Write("sys/fs/cgroup/pod/box/cpu.max", "150000 100000\n");
        Assert.That(CgroupQuota.Read(_root), Is.EqualTo(1.5));
    }

    [Test]
    public void TheSmallestQuotaOnTheWayUpCounts()
    {
        Write("proc/self/cgroup", "0::/pod/box\n");
        Write("proc/self/mountinfo", "35 30 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        Write("sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
        Write("sys/fs/cgroup/pod/cpu.max", "300000 100000\n");
        Assert.That(CgroupQuota.Read(_root), Is.EqualTo(3));
    }

    [Test]
    public void Version1QuotaIsReadFromTheMountOfTheCpuController()
    {
        Write("proc/self/cgroup", "9:memory:/other\n4:cpu,cpuacct:/docker/abc\n");
        Write(
            "proc/self/mountinfo",
            "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu\\040acct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n");
        Write("sys/fs/cgroup/cpu acct/cpu.cfs_quota_us", "250000\n");
        Write("sys/fs/cgroup/cpu acct/cpu.cfs_period_us", "100000\n");
        Assert.That(CgroupQuota.Read(_root), Is.EqualTo(2.5));
    }

    [TestCase("max 100000")]
    [TestCase("-1 100000")]
    [TestCase("5 0")]
    [TestCase("abc def")]
    [TestCase("")]
    [TestCase("99999999999999999999999 1")]
    public void WhatIsNotAQuotaIsNoLimit(string text)
    {
        Write("proc/self/cgroup", "0::/../../etc\ngarbage\n::::\n");
        Write("proc/self/mountinfo", "garbage\n - \n1 2 3 - cgroup2\n35 30 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        Write("sys/fs/cgroup/cpu.max", text);
        Assert.That(CgroupQuota.Read(_root), Is.EqualTo(double.PositiveInfinity));
    }

    [TestCase(8, double.PositiveInfinity, 8)]
    [TestCase(8, 1.5, 2)]
    [TestCase(8, 0.1, 1)]
    [TestCase(2, 16, 2)]
    public void ThreadsAreTheQuotaRoundedUpWithinTheAffinity(int affinity, double quota, int threads) =>
        Assert.That(new CpuBudget(affinity, quota).Threads, Is.EqualTo(threads));

    [Test]
    public void SpinningNeedsAProcessorAndAQuotaForEachThread()
    {
        Assert.That(new CpuBudget(8, double.PositiveInfinity).AllowsSpinning(8), Is.True);
        Assert.That(new CpuBudget(8, 1.5).AllowsSpinning(2), Is.False, "two spinning threads overdraw 1.5 CPUs");
        Assert.That(new CpuBudget(2, double.PositiveInfinity).AllowsSpinning(4), Is.False);
        Assert.That(new CpuBudget(8, double.PositiveInfinity).AllowsSpinning(1), Is.False, "nobody to wait for");
    }

    [Test]
    public void AffinityOfTheProcessIsHonoured()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/taskset"))
        {
            Assert.Ignore("taskset is not here, so the process's affinity cannot be narrowed from outside");
        }
        byte[]? before = CpuBudget.ReadAffinityMask();
        int cpu = Enumerable.Range(0, before!.Length * 8).First(i => (before[i / 8] >> (i % 8) & 1) != 0);
        string all = ReadAllowedList();
        try
        {
            Taskset(cpu.ToString());
            Assert.That(CpuBudget.Read().AffinityCpus, Is.EqualTo(1));
            Assert.That(CpuBudget.Read().Threads, Is.EqualTo(1));
        }
        finally
        {
            Taskset(all);
        }
        Assert.That(CpuBudget.ReadAffinityMask(), Is.EqualTo(before));
    }

    // Only the main thread, which is the one whose mask counts as the process's.
    private static void Taskset(string cpus)
    {
        using Process process = Process.Start(new ProcessStartInfo(
            "/usr/bin/taskset", ["-c", "-p", cpus, Environment.ProcessId.ToString()])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero);
    }

    private static string ReadAllowedList() =>
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal))
            .Split(':')[1].Trim();

    private void Write(string path, string text)
    {
        string full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
