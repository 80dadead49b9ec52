using Microsoft.CodeAnalysis;
using NUnit.Framework;

namespace Graphene.Tests.Packages;

/// <summary>What the generator writes compiles without a warning, says what it should, and finds what is wrong.</summary>
internal sealed class GeneratedClassTests
{
    private static SignatureSample Digits(string className = "") => new SignatureSample("digits.onnx", className).Function("run", "batch")
        .Input("image", "f32", "=batch", "784").Output("probabilities:0", "f32", "=batch", "10");

    [Test]
    public void AModelBecomesAClass()
    {
        GeneratorRun run = GeneratorRun.Of(
            """
            using System;
            using Made;

            public static class User
            {
                public static float[] Use(float[] pixels, System.Span<float> answer)
                {
                    using Digits digits = Digits.Load();
                    digits.Run(pixels, answer);
                    using Digits.RunCall call = digits.Bind(batch: 2);
                    pixels.CopyTo(call.Image);
                    call.Run();
                    call.Probabilities.CopyTo(answer);
                    return digits.Run(pixels);
                }
            }
            """,
            Digits());

        Assert.That(run.Reported, Is.Empty);
        Assert.That(run.Problems, Is.Empty);
        string code = run.Sources["Made.Digits.g.cs"];
        Assert.That(
            code,
            Does.Contain("public void Run(global::System.ReadOnlySpan<float> image, "
                + "global::System.Span<float> probabilities, "));
        Assert.That(code, Does.Contain("<param name=\"image\">The elements of <c>image</c>, f32[batch,784], row-major.</param>"));
        Assert.That(code, Does.Contain("public static string BundleName => \"digits.onnx.graphene\";"));
    }

    [Test]
    public void UglyNamesAreValidAndApart()
    {
        var sample = new SignatureSample();
        const int PortsPerFunction = 8;
        for (int i = 0; i < IdentifierTests.UglyNames.Length; i++)
        {
            if (i % PortsPerFunction == 0)
            {
                sample.Function(IdentifierTests.UglyNames[^(i + 1)], IdentifierTests.UglyNames[i..].Where(n => !n.Contains('\t')).Take(3));
            }
            sample.Input(IdentifierTests.UglyNames[i], i % 2 == 0 ? "f32" : "i64", i % 3 == 0 ? [] : ["4", "2"]);
            if (i % PortsPerFunction == PortsPerFunction - 1 || i == IdentifierTests.UglyNames.Length - 1)
            {
                foreach (string output in IdentifierTests.UglyNames.Skip(i - 3).Take(4))
                {
                    sample.Output(output, "f16", output.Length == 1 ? [] : ["3"]);
                }
            }
        }

        GeneratorRun run = GeneratorRun.Of("", sample);

        Assert.That(run.Reported, Is.Empty);
        Assert.That(run.Problems, Is.Empty);
        Assert.That(run.Sources, Has.Count.EqualTo(1));
    }

    [Test]
    public void SymbolsThatLengthsDoNotTellAreParameters()
    {
        GeneratorRun run = GeneratorRun.Of(
            """
            public static class User
            {
                public static float[] Use(Made.Model model, int[] tokens, float[] logits)
                {
                    model.Run(tokens, 0.5f, logits, out float loss, batch: 2, length: 3);
                    using Made.Model.RunCall call = model.Bind(2, 3);
                    Made.Model.RunResult result = model.Run(tokens, loss, 2, 3);
                    (float[] a, float b) = result;
                    return result.Loss > b ? a : result.Logits;
                }
            }
            """,
            new SignatureSample().Function("run", "batch", "length").Input("tokens", "i32", "=batch", "=length").Input("temperature", "f32")
                .Output("logits", "f32", "=batch", "=length", "100").Output("loss", "f32"));

        Assert.That(run.Problems, Is.Empty);
    }

    [Test]
    public void SeveralFunctionsAreSeveralMethods()
    {
        GeneratorRun run = GeneratorRun.Of(
            """
            public static class User
            {
                public static void Use(Made.Decoder model, System.Half[] state)
                {
                    System.Half[] next = model.Prefill(new long[3]);
                    model.Decode(1, next, state);
                    using Made.Decoder.DecodeCall call = model.BindDecode();
                    _ = Made.Decoder.DecodeStateLength + Made.Decoder.PrefillStateShape;
                }
            }
            """,
            new SignatureSample("decoder.onnx")
                .Function("prefill", "length").Input("tokens", "i64", "=length").Output("state", "f16", "8")
                .Function("decode").Input("token", "i64").Input("past", "f16", "8").Output("state", "f16", "8"));

        Assert.That(run.Problems, Is.Empty);
    }

    [Test]
    public void MoreTensorsThanOneCallTakesAreBound()
    {
        SignatureSample sample = new SignatureSample().Function("run");
        for (int i = 0; i < 40; i++)
        {
            sample.Input($"past.{i}", "bf16", "2", "4");
        }
        sample.Output("y", "bool", "4");

        GeneratorRun run = GeneratorRun.Of(
            "public static class User { public static bool Use(Made.Model m) "
                + "{ using var c = m.Bind(); c.Past39[0] = c.Past0[1]; c.Run(); return c.Y[0]; } }", sample);

        Assert.That(run.Problems, Is.Empty);
    }

    [TestCase("u8", "byte")]
    [TestCase("i8", "sbyte")]
    [TestCase("i16", "short")]
    [TestCase("u16", "ushort")]
    [TestCase("u32", "uint")]
    [TestCase("u64", "ulong")]
    [TestCase("f64", "double")]
    public void ElementsHaveTheirType(string dtype, string type)
    {
        GeneratorRun run = GeneratorRun.Of(
            $"public static class User {{ public static {type}[] Use(Made.Model m, {type}[] x) => m.Run(x); }}",
            new SignatureSample().Function("run").Input("x", dtype, "4").Output("y", dtype, "4"));

        Assert.That(run.Problems, Is.Empty);
    }

    [Test]
    public void AConstantOfTheProjectIsChecked()
    {
        const string Code = """
            namespace Made;

            partial class Digits
            {
                public const int Classes = 10;
                private const string ImageShape = "f32[batch,784]";
                internal const string ProbabilitiesShape = "f32[batch,100]";
            }
            """;

        GeneratorRun run = GeneratorRun.Of(Code, Digits());

        Diagnostic error = run.Reported.Single();
        Assert.That(error.Id, Is.EqualTo("GRPH010"));
        Assert.That(error.Location.GetLineSpan().Path, Is.EqualTo("User.cs"));
        Assert.That(error.Location.GetLineSpan().StartLinePosition.Line + 1, Is.EqualTo(7));
        Assert.That(
            error.GetMessage(System.Globalization.CultureInfo.InvariantCulture),
            Is.EqualTo(
                "'ProbabilitiesShape' is \"f32[batch,100]\", but 'probabilities:0' of digits.onnx is f32[batch,10]: "
                + "it must be \"f32[batch,10]\""));
        Assert.That(run.Problems.Where(d => d.Severity == DiagnosticSeverity.Error), Is.Empty, "what is declared is not generated");
    }

    [Test]
    public void TwoModelsOfOneClassAreAnError()
    {
        GeneratorRun run = GeneratorRun.Of("", Digits("Net"), new SignatureSample("other.onnx", "Net").Function("run").Output("y", "f32"));

        Assert.That(run.Reported.Single().Id, Is.EqualTo("GRPH008"));
        Assert.That(run.Problems, Is.Empty);
    }

    [TestCase("")]
    [TestCase("graphene-signature\t99\n")]
    [TestCase("graphene-signature\t1\nmodel\tx\n")]
    public void WhatIsNoSignatureIsAnError(string text)
    {
        GeneratorRun run = GeneratorRun.OfText("", text);

        Assert.That(run.Reported.Single().Id, Is.EqualTo("GRPH009"));
        Assert.That(run.Problems, Is.Empty);
    }

    [Test]
    public void AccessAndNamespaceAreTheProjects()
    {
        GeneratorRun run = GeneratorRun.Of(
            "class User { Net? _net; Net? Use() => _net; void Set(Net n) => _net = n; }",
            new SignatureSample("m.onnx", "Net", "internal", "").Function("run").Output("y", "f32", "2"));

        Assert.That(run.Problems, Is.Empty);
        Assert.That(run.Sources["Net.g.cs"], Does.Contain("internal sealed partial class Net"));
    }
}
