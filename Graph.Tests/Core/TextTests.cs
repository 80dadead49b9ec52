using NUnit.Framework;

namespace Graphene.Tests.Core;

/// <summary>Printer and parser are exact inverses, and the parser answers whatever it is given.</summary>
public sealed class TextTests
{
    private const string Sample = """
        module "sam\"ple"
        symbol "a+b" in 0..7
        symbol batch in 1..512

        inputs "x", "w"
        outputs "y", "z"

        @add {
          %p0 = f32[] parameter(0)
          %p1 = f32[] parameter(1)
          %0 = f32[] add(%p0, %p1)
          return %0
        }

        %p0 = f32[batch,"a+b",3] parameter(0)
        %p1 = bf16[2,2*batch+1]{0,1} parameter(1)
        %0 = f32[] constant(-0)
        %1 = f32[batch] reduce(%p0, %0), dimensions=[1,2], body=@add
        %2 = f32[batch] exponential(%1)
        %3 = f32[2] constant([nan,-inf])
        %4 = f32[2,floordiv(batch,3)] broadcast_in_dim(%3), dims=[0]
        return %2, %4

        """;

    [Test]
    public void PrintingWhatWasParsedGivesTheText() =>
        Assert.That(Printer.Print(Parser.ParseModule(Sample)), Is.EqualTo(Sample));

    [Test]
    public void EveryConstantSurvivesBitForBit()
    {
        Literal[] literals =
        [
            Literal.From<float>([float.NaN, -0f, float.Epsilon, float.MaxValue, BitConverter.UInt32BitsToSingle(0x7fc00001)], 5),
            Literal.From<uint>([0x7f800001, 1], 2), // a signalling NaN once reinterpreted
            Literal.From<double>([Math.PI, double.NegativeInfinity], 2),
            Literal.From<Half>([Half.MaxValue, Half.Epsilon, Half.NaN], 3),
            Literal.From<BFloat16>([(BFloat16)1.1f, (BFloat16)float.NaN], 2),
            Literal.From<long>([long.MinValue, -1], 2),
            Literal.From<ulong>([ulong.MaxValue, 0], 2),
            Literal.From<bool>([true, false], 2),
            Literal.From<int>([.. Enumerable.Range(0, 100)], 10, 10),
            Literal.From<float>([], 0, 4),
            new(new TensorType(DType.F32, Shape.Of(2)), new byte[] { 1, 0, 0x80, 0x7f, 0, 0, 0, 0 }),
        ];
        foreach (Literal literal in literals)
        {
            var b = new GraphBuilder();
            Computation computation = b.Build("constants", [b.Constant(literal)]);
            Computation again = Parser.ParseComputation(Printer.Print(computation));
            Assert.That(((ConstantOp)again.Results[0].Op).Value, Is.EqualTo(literal), Printer.Print(computation));
        }
    }

    [Test]
    public void EqualNestedComputationsArePrintedOnce()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 3)));
        string text = Printer.Print(b.Build("twice", [b.ReduceSum(x, [0]), b.ReduceSum(x, [1]), b.ReduceMax(x, [1])]));
        Assert.That(text.Split("@add {"), Has.Length.EqualTo(2));
        Assert.That(text, Does.Contain("@maximum {"));
        Assert.That(Printer.Print(Parser.ParseComputation(text)), Is.EqualTo(text));
    }

    [Test]
    public void CommentsAndProvenanceAreSkipped()
    {
        string text = Printer.Print(Parser.ParseModule(Sample))
            .Replace("exponential(%1)", "exponential(%1) // why", StringComparison.Ordinal);
        Module module = Parser.ParseModule("// first\n" + text, "sample.hlo");
        Assert.That(Printer.Print(module), Is.EqualTo(Sample));
        string withOrigins = Printer.Print(module, new PrintOptions { Provenance = module.Provenance });
        Assert.That(withOrigins, Does.Contain("// sample.hlo:"));
        Assert.That(Printer.Print(Parser.ParseModule(withOrigins)), Is.EqualTo(Sample));
    }

    [Test]
    public void ElidedConstantsSayWhyTheyCannotBeRead()
    {
        var b = new GraphBuilder();
        Computation large = b.Build("large", [b.Constant(Literal.From<int>([.. Enumerable.Range(0, 100)], 100))]);
        string text = Printer.Print(large, new PrintOptions { ElideLongConstants = true });
        Assert.That(text, Does.Contain("constant(<100 elements>)"));
        GraphException error = Fails(text);
        Assert.That(error.Message, Does.Contain("left out"));
    }

    [TestCase("", "GR1901", "text:1:1", "expected a statement")]
    [TestCase("return %0", "GR1902", "text:1:9", "%0 is not defined")]
    [TestCase("%0 = f32[] nonsense()\nreturn", "GR1902", "text:1:12", "no op 'nonsense'")]
    [TestCase("%0 = f31[] constant(1)\nreturn", "GR1901", "text:1:6", "not an element type")]
    [TestCase("%0 = f32[n] parameter(0)\nreturn", "GR1902", "text:1:10", "'n' is not declared")]
    [TestCase("%0 = f32[-1] parameter(0)\nreturn", "GR1901", "text:1:9", "cannot be -1")]
    [TestCase("%0 = f32[2] parameter(0)\n%0 = f32[2] negate(%0)\nreturn", "GR1903", "text:2:1", "defined twice")]
    [TestCase("%0 = f32[2] parameter(0)\n%1 = f32[3] negate(%0)\nreturn", "GR1904", "text:2:1", "gives f32[2], not f32[3]")]
    [TestCase("%0 = f32[2] parameter(0)\n%1 = f32[2] transpose(%0)\nreturn", "GR1905", "text:2:13", "'permutation' is missing")]
    [TestCase("%0 = f32[2] parameter(0)\n%1 = f32[2] negate(%0), a=1\nreturn", "GR1905", "text:2:27", "no attribute 'a'")]
    [TestCase("%0 = f32[2] parameter(0)\n%1 = f32[2] negate(%0), a=1, a=1\nreturn", "GR1905", "text:2:30", "given twice")]
    [TestCase("%0 = f32[2] parameter(0)\n%1 = f32[2] negate(%0) %0\nreturn", "GR1901", "text:2:24", "end of the line")]
    [TestCase("%0 = f32[2] parameter(1)\nreturn %0", "GR1901", "text:2:1", "largest number is 1")]
    [TestCase("%0 = f32[2] parameter(0)\n%1 = f32[3] parameter(0)\nreturn %0", "GR1901", "text:2:1", "has type f32[2]")]
    [TestCase("%0 = f32[3] constant([1,2])\nreturn", "GR1901", "text:1:22", "2 elements are listed")]
    [TestCase("%0 = f32[2] constant(#0102)\nreturn", "GR1901", "text:1:23", "not the bytes")]
    [TestCase("%0 = i8[] constant(128)\nreturn", "GR1901", "text:1:20", "'128' is not a value of i8")]
    [TestCase("%0 = f32[] constant(1e)\nreturn", "GR1901", "text:1:21", "'1e' is not a value")]
    [TestCase("%0 = f32[1073741824,1073741824,1073741824,8] constant(0)\nreturn", "GR1901", "text:1:55", "more than 2^63")]
    [TestCase("%0 = f32[1073741824] constant(0)\nreturn", "GR1901", "text:1:31", "256 MiB")]
    [TestCase("%0 = f32[99999999999999999999] parameter(0)\nreturn", "GR1901", "text:1:10", "64-bit integer")]
    [TestCase("symbol n in 1..8\n%0 = f32[floordiv(n,0)] parameter(0)\nreturn", "GR1901", "text:2:10", "no 64-bit value")]
    [TestCase("symbol n in 1..8\nsymbol n in 1..9\nreturn", "GR1903", "text:2:8", "declared twice")]
    [TestCase("symbol n in 9..8\nreturn", "GR1901", "text:1:8", "cannot be in 9..8")]
    [TestCase("module \"x", "GR1901", "text:1:10", "expected '\"'")]
    [TestCase("inputs \"a\"\nreturn", "GR1901", "text:2:7", "1 inputs are named")]
    [TestCase("@a {\nreturn\n}\n@a {\nreturn\n}\nreturn", "GR1903", "text:4:2", "written twice")]
    [TestCase("@a {\nreturn\n", "GR1901", "text:3:1", "expected '}'")]
    [TestCase("return\nreturn", "GR1901", "text:2:1", "end of the text")]
    [TestCase("%0 = f32[2]{1} parameter(0)\nreturn", "GR1901", "text:1:12", "layout")]
    [TestCase("%0 = f32[] constant(1), x=\"\\q\"\nreturn", "GR1901", "text:1:29", "hexadecimal")]
    public void BrokenTextIsReportedWithItsPlace(string text, string code, string place, string what)
    {
        GraphException error = Fails(text);
        Assert.That(error.Message, Does.StartWith(code).And.Contains(what));
        Assert.That(error.Where, Is.EqualTo(place), error.Message);
    }

    [Test]
    public void DeepNestingIsAnError()
    {
        string dim = string.Concat(Enumerable.Repeat("max(1,", 10_000)) + "n" + new string(')', 10_000);
        string text = $"symbol n in 1..8\n%0 = f32[{dim}] parameter(0)\nreturn %0";
        Assert.That(Fails(text).Message, Does.Contain("nested deeper"));

        string body = "@b0 {\n%0 = f32[] parameter(0)\n%1 = f32[] parameter(1)\nreturn %1\n}\n";
        for (int i = 1; i < 120; i++)
        {
            body += $"@b{i} {{\n%0 = f32[] parameter(0)\n%1 = f32[] parameter(1)\n"
                + $"%2 = f32[] reduce(%0, %1), dimensions=[], body=@b{i - 1}\nreturn %2\n}}\n";
        }
        Assert.That(Fails(body).Id, Is.EqualTo(DiagnosticId.NestedTooDeep));
    }

    [Test]
    public void MutatedTextNeverCrashesTheParser()
    {
        var random = new Random(1);
        for (int i = 0; i < 3000; i++)
        {
            char[] text = Sample.ToCharArray();
            for (int k = random.Next(1, 4); k > 0; k--)
            {
                text[random.Next(text.Length)] = Sample[random.Next(Sample.Length)];
            }
            try
            {
                Parser.ParseModule(new string(text)[..random.Next(text.Length)]);
            }
            catch (GraphException)
            {
                // The only way to decline.
            }
        }
    }

    private static GraphException Fails(string text) =>
        Assert.Throws<GraphException>(() => Parser.ParseModule(text)) ?? throw new InvalidOperationException();
}
