using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>Mapped memory moves to huge pages under the eyes of its readers.</summary>
internal sealed unsafe class HugePagesTests
{
    private const int Length = 21_000_003;

    [SetUp]
    public void Needs()
    {
        if (!HugePages.AreAvailable)
        {
            Assert.Ignore("this system has no huge pages for those who ask");
        }
    }

    [Test]
    public void ReadersMeetTheSameBytesAllTheTime()
    {
        using var folder = new TemporaryFolder();
        (string path, byte[] content) = Write(folder);
        using MappedFile file = MappedFile.Open(path);
        nint start = (nint)file.Pointer;
        Assert.That(new ReadOnlySpan<byte>(file.Pointer, Length).SequenceEqual(content), "before");
        using var stop = new CancellationTokenSource();
        int rounds = 0;
        Task[] readers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.That(new ReadOnlySpan<byte>((byte*)start, Length).SequenceEqual(content), "meanwhile");
                Interlocked.Increment(ref rounds);
            }
        }))];
        SpinWait.SpinUntil(() => Volatile.Read(ref rounds) > 0);

        long moved = HugePages.Move(file.Pointer + 100, Length - 100, () => true);

        int before = Volatile.Read(ref rounds);
        SpinWait.SpinUntil(() => Volatile.Read(ref rounds) > before + 2);
        stop.Cancel();
        Task.WaitAll(readers);
        Assert.That(moved, Is.GreaterThanOrEqualTo(Length - (3 * (2 << 20))), "all but what lies around whole huge pages");
        Assert.That(new ReadOnlySpan<byte>(file.Pointer, Length).SequenceEqual(content), "after");
    }

    [Test]
    public void WhatNobodyReadsStaysInTheFile()
    {
        using var folder = new TemporaryFolder();
        (string path, byte[] content) = Write(folder);
        using MappedFile file = MappedFile.Open(path);

        Assert.That(HugePages.Move(file.Pointer, Length, () => true), Is.Zero);
        Assert.That(new ReadOnlySpan<byte>(file.Pointer, Length).SequenceEqual(content));
    }

    [Test]
    public void NothingMovesWhenNobodyWantsIt()
    {
        using var folder = new TemporaryFolder();
        (string path, byte[] content) = Write(folder);
        using MappedFile file = MappedFile.Open(path);
        Assert.That(new ReadOnlySpan<byte>(file.Pointer, Length).SequenceEqual(content));

        Assert.That(HugePages.Move(file.Pointer, Length, () => false), Is.Zero);
    }

    private static (string Path, byte[] Content) Write(TemporaryFolder folder)
    {
        var content = new byte[Length];
        new Random(5).NextBytes(content);
        string path = folder.Combine("constants");
        File.WriteAllBytes(path, content);
        return (path, content);
    }
}
