using NUnit.Framework;

namespace Graphene.Tests.Core;

internal sealed class SpecializationTests
{
    private const string Text = """
        symbol n in 2..64
        %p0 = f32[n,3] parameter(0)
        %p1 = f32[3] parameter(1)
        %0 = f32[n,3] broadcast_in_dim(%p1), dims=[1]
        %1 = f32[n,3] add(%p0, %0)
        return %1
        """;

    [Test]
    public void SymbolsBecomeNumbersInTypesAndOps()
    {
        Module module = Specialization.Apply(Parser.ParseModule(Text), new Dictionary<string, long> { ["n"] = 5 });

        Assert.That(module.Symbols, Is.Empty);
        Assert.That(module.Entry.PostOrder().SelectMany(x => x.Types).All(t => t.Shape.IsStatic));
        Assert.That(module.Entry.Results[0].Type, Is.EqualTo(new TensorType(DType.F32, Shape.Of(5, 3))));
    }

    [Test]
    public void TheSpecializedModuleComputes()
    {
        Module module = Specialization.Apply(Parser.ParseModule(Text), new Dictionary<string, long> { ["n"] = 2 });

        Literal[] results = Evaluator.Evaluate(
            module.Entry, [Literal.From<float>([1, 2, 3, 4, 5, 6], 2, 3), Literal.From<float>([10, 20, 30], 3)]);

        Assert.That(results[0], Is.EqualTo(Literal.From<float>([11, 22, 33, 14, 25, 36], 2, 3)));
    }

    [TestCase("m", 5)]
    [TestCase("n", 1)]
    [TestCase("n", 65)]
    public void NamesAndBoundsAreChecked(string name, long size) =>
        Assert.That(
            () => Specialization.Apply(Parser.ParseModule(Text), new Dictionary<string, long> { [name] = size }),
            Throws.TypeOf<GraphException>().With.Message.StartsWith("GR1060"));
}
