using System.Runtime.CompilerServices;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Authoring;

/// <summary>Every error names the line that made it.</summary>
internal sealed class AuthoringErrorTests
{
    [Test]
    public void AMethodIsFoundByItsLine()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [8, 16, 64], "x");
        GraphException error;
        int line;
        using (g.Scope("attention"))
        using (g.Scope("keys"))
        {
            line = ThisLine() + 1;
            error = Assert.Throws<GraphException>(() => x.Transpose([0, 2]))!;
        }

        Assert.That(error.Message, Is.EqualTo(
            $"""
            GR1203 transpose: permutation [0,2] does not list each dimension of f32[8,16,64] exactly once
              at   transpose(f32[8,16,64])   built in AuthoringErrorTests.cs:{line} (scope attention/keys)
              why  every dimension 0..2 must appear once in the permutation
              fix  pass the axes 0..2 once each, in the wanted order
            """));
    }

    [Test]
    public void AnOperatorIsFoundByItsLine()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, ["batch", 3], "x");
        Tensor y = g.Placeholder(DType.F32, ["batch", 4], "y");

        int line = ThisLine() + 1;
        GraphException error = Assert.Throws<GraphException>(() => _ = x + y)!;

        Assert.That(error.Message, Is.EqualTo(
            $"""
            GR1007 add: shapes do not broadcast: f32[batch,3] and f32[batch,4]
              at   add(f32[batch,3], f32[batch,4])   built in AuthoringErrorTests.cs:{line}
              why  aligned at the last dimension, two sizes must be equal or one of them 1
              fix  reshape one of them, or insert a dimension of size 1
            """));
    }

    [Test]
    public void ElementTypesAreNotConvertedByThemselves()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [3], "x");
        Tensor i = g.Placeholder(DType.I32, [3], "i");

        int line = ThisLine() + 1;
        GraphException error = Assert.Throws<GraphException>(() => _ = x * i)!;

        Assert.That(error.Message, Is.EqualTo(
            $"""
            GR1003 multiply: operands 0 and 1 have different element types: f32[3] and i32[3]
              at   multiply(f32[3], i32[3])   built in AuthoringErrorTests.cs:{line}
              fix  convert one of them, for example operand 1 to f32
            """));
    }

    [Test]
    public void ANumberMustBeAValueOfTheElementType()
    {
        var g = new Graph();
        Tensor i = g.Placeholder(DType.U8, [3], "i");

        int line = ThisLine() + 1;
        GraphException error = Assert.Throws<GraphException>(() => _ = i * 0.5)!;

        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Is.EqualTo(
                $"""
                GR1506 0.5 is no u8, the element type of u8[3]
                  at   built in AuthoringErrorTests.cs:{line}
                  why  a C# number takes the element type of the tensor beside it
                  fix  cast the tensor first
                """));
            Assert.That(Assert.Throws<GraphException>(() => _ = i + 256)!.Id, Is.EqualTo(DiagnosticId.LiteralDoesNotFit));
            Assert.That(Assert.Throws<GraphException>(() => i.Less(-1))!.Id, Is.EqualTo(DiagnosticId.LiteralDoesNotFit));
        });
    }

    [Test]
    public void APlaceholderThatIsNotFedIsNamed()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [3], "x");
        int line = ThisLine() + 1;
        Tensor y = g.Placeholder(DType.F32, [3], "y");

        GraphException error = Assert.Throws<GraphException>(() => g.ToModule([x + y], [x]))!;

        Assert.That(error.Message, Is.EqualTo(
            $"""
            GR1504 placeholder 'y' f32[3] is needed but not fed
              at   built in AuthoringErrorTests.cs:{line}
              fix  feed it, or give it a default
            """));
    }

    [Test]
    public void ATensorOfABodyStaysInside()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [], "x");
        Tensor? leaked = null;
        g.Cond(x.Greater(0), () => leaked = x * 2, () => x);

        int line = ThisLine() + 1;
        GraphException error = Assert.Throws<GraphException>(() => _ = leaked! + 1)!;

        Assert.That(error.Message, Is.EqualTo(
            $"""
            GR1501 {leaked} was made inside a branch or loop body and is not known outside
              at   built in AuthoringErrorTests.cs:{line}
              why  a body may not run, or run many times
              fix  return it from the body
            """));
    }

    [Test]
    public void OtherMistakesHaveTheirOwnIds()
    {
        var g = new Graph("one");
        var other = new Graph("two");
        Tensor x = g.Constant(1f);
        Tensor y = other.Constant(1f);
        Variable v = g.Variable(F32([2], 1, 2), "v");

        Assert.Multiple(() =>
        {
            Assert.That(Id(() => _ = x + y), Is.EqualTo(DiagnosticId.OtherGraph));
            Assert.That(Id(() => v.Assign(x)), Is.EqualTo(DiagnosticId.BadAssignment));
            Assert.That(Id(() => g.Placeholder(DType.F32, [], " ")), Is.EqualTo(DiagnosticId.BadName));
            Assert.That(
                Id(() => g.While(
                    [x],
                    _ =>
                    {
                        v.Assign(v.Read() * 2);
                        return g.Constant(false);
                    },
                    p => p)),
                Is.EqualTo(DiagnosticId.EffectInCondition));
            g.Freeze();
            Assert.That(Id(() => x.Relu()), Is.EqualTo(DiagnosticId.GraphFrozen));
        });
    }

    [Test]
    public void ProvenanceKnowsTheLinesOfMethodsAndOperators()
    {
        var g = new Graph();
        Tensor x = g.Placeholder(DType.F32, [3], "x");
        int line = ThisLine() + 1;
        Tensor y = x.Exp() *
            x.Tanh();

        Module module = g.ToModule([y]);
        Dictionary<string, int> lines = Traversal.PostOrder(module.Entry.Results)
            .ToDictionary(n => n.Op.Name, n => module.Provenance[n][0].Line);

        Assert.That(lines["exponential"], Is.EqualTo(line));
        Assert.That(lines["tanh"], Is.EqualTo(line + 1));
        Assert.That(lines["multiply"], Is.InRange(line, line + 1));
    }

    private static DiagnosticId Id(Action build) => Assert.Throws<GraphException>(() => build())!.Id;

    private static int ThisLine([CallerLineNumber] int line = 0) => line;
}
