using System.Globalization;
using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>What Linux says of a processor's caches is read, and what it says strangely is not believed.</summary>
internal sealed class CacheSizesTests
{
    [Test]
    public void DataCachesAreRead() => Assert.That(
        Read(("1", "Data", "48K", "12"), ("1", "Instruction", "32K", "8"), ("2", "Unified", "2048K", "16"), ("3", "Unified", "300M", "20")),
        Is.EqualTo(new CacheSizes(48 << 10, 12, 2 << 20)));

    [TestCase("48K", "0")]
    [TestCase("48K", "many")]
    [TestCase("-1K", "8")]
    [TestCase("99999999999M", "8")]
    [TestCase("K", "8")]
    [TestCase("", "")]
    [TestCase("50K", "12")]
    public void WhatIsStrangeKeepsItsTypicalValue(string size, string ways) =>
        Assert.That(Read(("1", "Data", size, ways)), Is.EqualTo(CacheSizes.Typical));

    [Test]
    public void AMachineThatSaysNothingIsTypical() => Assert.That(Read(), Is.EqualTo(CacheSizes.Typical));

    // 64 sets of 64 bytes: lines 4096 bytes apart share one, lines 64 bytes apart none.
    [TestCase(4096, 12)]
    [TestCase(8192, 12)]
    [TestCase(2048, 24)]
    [TestCase(12 * 1024, 12)]
    [TestCase(3072, 48)]
    [TestCase(64, 768)]
    [TestCase(4, 768)]
    [TestCase(4100, 768)]
    public void LinesAtAStrideShareSets(long stride, long lines) =>
        Assert.That(new CacheSizes(48 << 10, 12, 2 << 20).LinesAtStride(stride), Is.EqualTo(lines));

    private static CacheSizes Read(params (string Level, string Type, string Size, string Ways)[] caches)
    {
        string folder = Directory.CreateTempSubdirectory("caches").FullName;
        try
        {
            for (int i = 0; i < caches.Length; i++)
            {
                string cache = Path.Combine(folder, $"index{i.ToString(CultureInfo.InvariantCulture)}");
                Directory.CreateDirectory(cache);
                File.WriteAllText(Path.Combine(cache, "level"), caches[i].Level + "\n");
                File.WriteAllText(Path.Combine(cache, "type"), caches[i].Type + "\n");
                File.WriteAllText(Path.Combine(cache, "size"), caches[i].Size + "\n");
                File.WriteAllText(Path.Combine(cache, "ways_of_associativity"), caches[i].Ways + "\n");
            }
            return CacheSizes.Read(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
