using Graphene.Build.Naming;
using NUnit.Framework;

namespace Graphene.Tests.Packages;

/// <summary>Names of tensors become identifiers that people can read.</summary>
internal sealed class IdentifierTests
{
    /// <summary>Names as exporters write them, and worse.</summary>
    public static readonly string[] UglyNames =
    [
        "a/b:0", "input:0", "serving_default_input_1:0", "StatefulPartitionedCall:0", "0", "1x1_conv", "class", "int",
        "string", "namespace",
        "await", "record", "var", "x.1", "x_1", "X_1", "x-1", "past_key_values.0.key", "past_key_values.10.key", "past_key_values.1.0.key",
        "past.1.00", "INPUT_IDS", "input ids", "inputIds", "", " ", "///", "...", "日本語", "größe", "température/moyenne", "Ünïcode", "😀",
        "😀face", "α", "x²", "naïve.café", "Run", "Dispose", "Load", "ToString", "Equals", "call", "cancellation", "_private", "__", "_0",
        "a\tb", "a\"b", "a\\b", "<T>", "List<int>", "${name}", "a;b", "a=b", "онлайн", "a\u200bb", "e\u0301t", "RunCall", "Model", "model",
        "*/ evil /*", "</c>", "\u2028", "output_0", "this", "value", "Bind", "RunResult", "Input0", "GetHashCode", "options",
    ];

    [TestCase("a/b:0", "AB", "ab")]
    [TestCase("serving_default_input_1:0", "ServingDefaultInput1", "servingDefaultInput1")]
    [TestCase("past_key_values.0.key", "PastKeyValues0Key", "pastKeyValues0Key")]
    [TestCase("past.1.00", "Past1_00", "past1_00")]
    [TestCase("INPUT_IDS", "InputIds", "inputIds")]
    [TestCase("inputIds", "InputIds", "inputIds")]
    [TestCase("1x1_conv", "_1x1Conv", "_1x1Conv")]
    [TestCase("0", "_0", "_0")]
    [TestCase("class", "Class", "@class")]
    [TestCase("ID", "ID", "id")]
    [TestCase("IOBuffer", "IOBuffer", "ioBuffer")]
    [TestCase("größe", "Größe", "größe")]
    [TestCase("日本語", "日本語", "日本語")]
    [TestCase("😀face", "Face", "face")]
    [TestCase("a\u200bb", "AB", "ab")]
    [TestCase("x²", "X", "x")]
    public void NamesReadWell(string name, string member, string parameter)
    {
        Assert.That(Identifiers.Pascal(name), Is.EqualTo(member));
        Assert.That(Identifiers.Camel(member), Is.EqualTo(parameter));
    }

    [Test]
    public void WhatHasNoLettersHasNoName()
    {
        Assert.That(UglyNames, Has.Length.GreaterThan(50));
        foreach (string name in new[] { "", " ", "///", "...", "😀", "__", "\u2028" })
        {
            Assert.That(Identifiers.Pascal(name), Is.Empty, name);
        }
    }

    [TestCaseSource(nameof(UglyNames))]
    public void EveryNameIsValid(string name)
    {
        string member = Identifiers.Pascal(name);
        if (member.Length > 0)
        {
            Assert.That(Identifiers.IsValid(member), member);
        }
    }
}
